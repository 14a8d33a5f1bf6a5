"""The section of docs/ledger.md about prompts and answers."""

CONTENT = """
## Content

By default no prompt and no answer is kept. The configuration says otherwise:

```yaml
ledger:
  content: full               # off (the default), hash or full
  content_by_key:             # by the id of a gateway key, as records have it in key_id
    2c26b46b: "off"
  redact: my_company.privacy:redact
  content_retention: 30d
```

- `off`: nothing.
- `hash`: the SHA-256 of each message, of each answer and of each parameter: of its JSON without
  white space between the values.
- `full`: the messages as the client sent them, in its own wire format; the answers as messages of
  OpenAI's chat format, with tool calls and reasoning; tools, system prompts and parameters.

How it is kept:

- It is written to the spool before the reply ends, like the record, also for calls that fail, are
  refused or are cancelled: the prompt, and the part of the answer that came. The record's `content`
  says what is kept.
- Each message is stored once, and so is each image or file in it: a conversation of fifty turns has
  the messages of its last turn, not those of fifty requests.
- Of embeddings the texts are kept and no vector; of images, moderations and reranking the prompt
  and the JSON of the response; of speech the text; of transcriptions the text, and of a file its
  size. Requests to `/providers/...` are kept where the gateway reads the route. Of a session of the
  Realtime API the conversation is kept when it ends, in OpenAI's chat format: texts, transcripts,
  images and tool calls, no audio, and no more than `server.body_limit` bytes of the provider's
  messages. Those of other WebSockets are not kept, and `content` of their records is `off`.
- Keys never enter: not those with which the request came and was sent on, also where a message
  quotes them; not `Authorization` headers; not the tokens that a request has for tools of its own
  (`authorization`, `authorization_token`, `headers` of MCP servers). `[removed]` stands in their
  place.
- `redact` names a function `module:function` that can be imported where the gateway runs. It is
  given each text of the messages, the answer and the parameters, and returns what is kept, which is
  also what later turns of a conversation get from there. Images, files, signatures and ids are not
  given to it. A call over which it fails is kept without content; the log says so once. A wrong
  name stops the gateway at its start.
- A reload of the configuration (`SIGHUP`) applies `content`, `content_by_key` and `redact`.

```python
import re

CARD = re.compile(r"\\b(?:\\d[ -]?){13,16}\\b")


def redact(text: str) -> str:
    return CARD.sub("[card]", text)
```

Clients build on content where it is `full` for their key:

- `session_id` with `session: {"remember": true}` on `POST /api/engine/chat/{provider}`: the
  messages and answers of the session's earlier calls come before its own, at most `max_turns` (50)
  of them, each of which begins with a message of the user.
- `previous_response_id`, or items `{"type": "item_reference"}`, on `POST /v1/responses`: the
  conversation goes on, whatever provider had it. A provider that has the API itself, and keeps its
  responses, is sent the reference instead.
- `GET` and `DELETE /v1/responses/{id}`, `GET /v1/responses/{id}/input_items`: a response that was
  not sent `store: false`.
- `GET /v1/chat/completions` (with `limit`, `after`, `order`, `model` and `metadata[name]`), `GET`,
  `POST` (`metadata`) and `DELETE /v1/chat/completions/{id}`,
  `GET /v1/chat/completions/{id}/messages`: completions that were sent `store: true`.

Each key finds its own calls only. A conversation longer than `server.body_limit` is refused. What
was written just before is found, too: the gateway waits until it is in the database, up to two
seconds. Where nothing is kept these requests are refused with the name of the setting, and a
response's `store` is `false`.
"""
