/** The messages of a call, where they are kept. */
import { useSignal } from "@preact/signals";
import { Segmented } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { keptSignal } from "../state/settings.js";
import { MessageCard } from "./message_card.js";
import { readConversation } from "./messages.js";

const format = keptSignal("logs.format", /** @type {"markdown" | "plain"} */ ("markdown"));
/** Earlier messages that are shown at once. */
const SHOWN = 12;

/** @param {{call: import("./types.js").Details}} props */
export function ConversationTab({ call }) {
  const { conversation } = call;
  if (!conversation) return html`<${NotKept} call=${call} />`;
  if (conversation.mode !== "full") return html`<${Hashes} conversation=${conversation} />`;
  return html`<${Messages} conversation=${conversation} />`;
}

/** @param {{conversation: import("./types.js").Conversation}} props */
function Messages({ conversation }) {
  const { input, output } = readConversation(conversation);
  const isWhole = useSignal(input.length <= SHOWN);
  const shown = isWhole.value ? input : [...input.slice(0, 1), ...input.slice(-(SHOWN - 2))];
  const isMarkdown = format.value === "markdown";
  return html`<section class="stack messages" aria-label="Conversation">
    <div class="row between"><span class="faint tiny">${input.length} ${input.length === 1 ? "message" : "messages"} · ${conversation.wire.replaceAll("_", " ")}</span>
      <${Segmented} label="How texts are shown" value=${format.value} options=${[{ value: "markdown", label: "Markdown" }, { value: "plain", label: "Plain" }]}
        onChange=${(/** @type {"markdown" | "plain"} */ next) => {
          format.value = next;
        }} /></div>
    ${shown.map(
      (message, at) => html`<${MessageCard} key=${at} message=${message} isMarkdown=${isMarkdown} />
      ${
        at === 0 &&
        !isWhole.value &&
        html`<button key="more" type="button" class="button compact" onClick=${() => {
          isWhole.value = true;
        }}>
        Show ${input.length - shown.length} more messages</button>`
      }`,
    )}
    ${
      output.length
        ? output.map(
            (message, at) =>
              html`<${MessageCard} key=${`out ${at}`} message=${message} isMarkdown=${isMarkdown} isAnswer=${true} />`,
          )
        : html`<p class="faint small">There was no answer.</p>`
    }
  </section>`;
}

/** @param {{call: import("./types.js").Details}} props */
function NotKept({ call }) {
  if (call.content !== "off") {
    return html`<div class="notice"><${Icon} name="info" />
      <p>The messages of this call were deleted: their time of retention is over, or the client asked for it.</p></div>`;
  }
  const key = call.key && call.key !== "anonymous" ? `"${call.key}"` : "KEY_ID";
  return html`<div class="notice"><${Icon} name="info" /><div class="grow">
    <p>No prompt and no answer of this call is kept. That is the default.</p>
    <p>To keep them from now on, set in the configuration:</p>
    <pre class="command" tabindex="0">${"ledger:\n  content: full"}</pre>
    <p>or for one key alone:</p>
    <pre class="command" tabindex="0">${`ledger:\n  content_by_key:\n    ${key}: full`}</pre></div></div>`;
}

/** @param {{conversation: import("./types.js").Conversation}} props */
function Hashes({ conversation }) {
  /** @param {string} title @param {any[]} hashes */
  const list = (title, hashes) => html`<div class="stack"><h3>${title}</h3>
    ${hashes.map((hash, at) => html`<code key=${at} class="hash">${typeof hash === "string" ? hash : JSON.stringify(hash)}</code>`)}</div>`;
  return html`<section class="stack">
    <p class="quiet small">The SHA-256 of each message is kept, not its text (<code>ledger.content: hash</code>).</p>
    ${list("Messages", conversation.messages)}${list("Answer", conversation.output)}
  </section>`;
}
