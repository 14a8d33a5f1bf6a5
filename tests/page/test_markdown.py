"""Markdown of answers: the same however it arrives, never markup, and no mathematics in prices."""

from __future__ import annotations

import ast
import json
import re
from html import unescape
from typing import Any

from playwright.sync_api import Error

from page.conftest import OpenPage
from page.servers import HOSTILE, MARKDOWN
from page.shell import Shell

DRAW = """async ({ text, cuts }) => {
  const script = document.querySelector("script[src]").src;
  const load = (path) => import(new URL(path, script).href);
  const [{ h, render }, { Markdown }] = await Promise.all([
    import("preact"), load("components/markdown.js"),
  ]);
  const place = document.createElement("div");
  document.body.append(place);
  for (const cut of cuts) {
    render(h(Markdown, { text: text.slice(0, cut), isStreaming: true }), place);
  }
  render(h(Markdown, { text, isStreaming: false }), place);
  for (let wait = 0; wait < 40; wait += 1) await new Promise((done) => setTimeout(done, 5));
  const found = place.innerHTML;
  place.remove();
  return found;
}"""
NESTED = """\
1. one
   - two

     ```js
     const a = 1;
     ```
   - [x] three
2. four

   > quoted
   > - deeper

> a quote
that goes on

| a | b |
|---|--:|
| `x` | 1<br>2 |

Setext
======

A [reference][1] and *emphasis **nested** here*.

[1]: https://example.org/ "title"

~~~
unclosed
"""


def draw(shell: Shell, text: str, cuts: list[int] | None = None) -> str:
    drawn: str = shell.tab.evaluate(DRAW, {"text": text, "cuts": cuts or []})
    return drawn


def test_an_answer_looks_the_same_however_it_was_cut(open_page: OpenPage) -> None:
    shell = open_page()
    for text in (MARKDOWN, NESTED, HOSTILE, NESTED.replace("\n", "\r\n"), "a\tb\n\n\tcode\n\nc"):
        whole = draw(shell, text)
        assert draw(shell, text, list(range(1, len(text)))) == whole
        assert draw(shell, text, list(range(1, len(text), 7))) == whole


FORMULAS = (
    ("It costs $5, or $10 with tax.", 0),
    ("US$20 and A$30, from $3-$4, $5/$6.", 0),
    ("Set $HOME/$USER and $PATH.", 0),
    ("Prices: $$ to $$$ (see $).", 0),
    ("`$x$` and ``$y$``", 0),
    ("A single $ sign, and another $ sign.", 0),
    ("The area is $\\pi r^2$, the price $5.", 1),
    ("Both $a$ and \\(b\\), not \\$c$.", 2),
    ("$$\nx = y\n$$\n\nand \\[ z \\]", 2),
    ("- in a list: $x_1$\n- $$y$$", 2),
    ("| $a$ | b |\n|---|---|\n| $5 | $c$ |", 2),
    ("$\\notacommand{x}$", 0),
)
"""A text, and how many formulas are in it."""


def test_mathematics_is_told_from_money(open_page: OpenPage) -> None:
    shell = open_page()
    for text, count in FORMULAS:
        drawn = draw(shell, text)
        assert drawn.count('class="katex"') == count, (text, drawn)


TEXTS = (
    ("a &amp; b &lt;i&gt; &#8212; &#x2014; &nosuch; &#0;", "a & b <i> — — &nosuch; \ufffd"),
    ("<b onclick=x>bold</b>", "<b onclick=x>bold</b>"),
    ("[a](javascript:x) [b](data:text/html,x) [c](/v1/models)", "a b c"),
    ("![](javascript:x) ![pic](ftp://x)", "javascript:x pic"),
)
"""A text, and what is seen of it."""


def test_what_is_no_markdown_is_text(open_page: OpenPage) -> None:
    shell = open_page()
    for text, shown in TEXTS:
        drawn = draw(shell, text)
        assert "<a " not in drawn, text
        assert unescape(re.sub("<[^>]*>", "", drawn)).strip() == shown, text


def call(shell: Shell, module: str, name: str, *arguments: Any) -> Any:
    """What a function of the page's own modules returns."""
    source = """async ({ module, name, given }) => {
      const script = document.querySelector("script[src]").src;
      const found = await import(new URL(module, script).href);
      return found[name](...given);
    }"""
    return shell.tab.evaluate(source, {"module": module, "name": name, "given": list(arguments)})


SCHEMA = {
    "type": "object",
    "required": ["a"],
    "additionalProperties": False,
    "properties": {
        "a": {"type": "integer", "minimum": 1},
        "b": {"type": "array", "items": {"$ref": "#/$defs/word"}, "maxItems": 2},
        "c": {"enum": ["x", "y"]},
        "d": {"anyOf": [{"type": "null"}, {"type": "string", "pattern": "^z"}]},
    },
    "$defs": {"word": {"type": "string", "minLength": 2}},
}


def test_answers_are_checked_against_their_schema(open_page: OpenPage) -> None:
    shell = open_page()
    cases: list[tuple[Any, list[str]]] = [
        ({"a": 1}, []),
        ({"a": 1, "b": ["ab"], "c": "x", "d": None}, []),
        ({}, ["`a` is missing"]),
        ({"a": 1.5}, ["`a` is number, not integer"]),
        ({"a": 0}, ["`a` is less than 1"]),
        ({"a": 1, "b": ["ab", "c"]}, ["`b[1]` is shorter than 2"]),
        ({"a": 1, "b": ["ab"] * 3}, ["`b` has more than 2 items"]),
        ({"a": 1, "c": "z"}, ['`c` is none of "x", "y"']),
        ({"a": 1, "d": "a"}, ["`d` fits none of 2 alternatives"]),
        ({"a": 1, "e": 1}, ["`e` is not allowed"]),
        ([], ["The answer is array, not object"]),
    ]
    for value, problems in cases:
        found = call(shell, "playground/schema_check.js", "checkAnswer", json.dumps(value), SCHEMA)
        assert found == problems, value
    for text in ("no JSON", "{", ""):
        found = call(shell, "playground/schema_check.js", "checkAnswer", text, SCHEMA)
        assert found == ["The answer is not JSON."]
    fenced = '```json\n{"a": 1}\n```'
    assert call(shell, "playground/schema_check.js", "checkAnswer", fenced, SCHEMA) == []


def test_values_are_written_as_python_writes_them(open_page: OpenPage) -> None:
    shell = open_page()
    values: list[Any] = [
        None,
        True,
        1.5,
        'it\'s "quoted" \\ \n\t\u2028 é 😀',
        [],
        {},
        {"a": [1, {"b": None}], "c d": "x" * 100},
    ]
    for value in values:
        code = call(shell, "playground/snippets.js", "pythonValue", value)
        assert ast.literal_eval(code) == value, code


def test_a_link_of_anybody_is_checked(open_page: OpenPage) -> None:
    shell = open_page()
    odd: list[Any] = [
        None,
        1,
        [],
        {"version": 2, "turns": []},
        {"version": 1},
        {"version": 1, "turns": [{"role": "system"}]},
        {"version": 1, "turns": [{"role": "user", "parent": 0}]},
        {"version": 1, "turns": [{"role": "user", "parent": 7}]},
    ]
    for value in odd:
        found = call_safely(shell, value)
        assert found == "refused", value
    kept = call_safely(
        shell,
        {
            "version": 1,
            "settings": {"model": 5, "parameters": {"temperature": {}, "seed": 1}},
            "turns": [
                {"role": "user", "text": 5, "images": ["https://example.org/x.png", 1]},
                {"role": "assistant", "parent": 0, "answer": {"text": [], "toolCalls": [None]}},
            ],
            "chosen": [9, "x"],
        },
    )
    assert kept["settings"]["model"] == ""
    assert kept["settings"]["parameters"] == {"seed": 1}
    assert [turn["text"] for turn in kept["tree"]["turns"]] == ["", ""]
    assert kept["tree"]["turns"][0]["images"] == []
    assert kept["tree"]["turns"][1]["answer"]["toolCalls"] == []


def call_safely(shell: Shell, value: Any) -> Any:
    try:
        return call(shell, "playground/saved_state.js", "unpackState", value)
    except Error:
        return "refused"
