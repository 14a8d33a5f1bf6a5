/** One message: who said it, and each of its parts. */
import { useSignal } from "@preact/signals";
import { Icon } from "../components/icon.js";
import { Markdown } from "../components/markdown.js";
import { formatCount } from "../format.js";
import { html } from "../html.js";
import { CopyButton } from "./copy_button.js";
import { isInline } from "./messages.js";

/** Characters and lines above which a text is folded. */
const LONG = 3000;
const LONG_LINES = 40;
/** Characters above which a text is never set as Markdown. */
const PLAIN_FROM = 80_000;

/** @typedef {import("./messages.js").Part} Part */

/** @param {{message: import("./messages.js").Message, isMarkdown: boolean, isAnswer?: boolean}} props */
export function MessageCard({ message, isMarkdown, isAnswer = false }) {
  const text = message.parts
    .flatMap((part) => (part.type === "text" || part.type === "tool_result" ? [part.text] : []))
    .join("\n\n");
  return html`<article class="message is-${message.role} ${isAnswer ? "is-answer" : ""}">
    <header class="row between"><span class="message-role">${isAnswer ? "Answer" : message.role}</span>${text && html`<${CopyButton} text=${text} label="Copy the message" />`}</header>
    ${
      message.parts.length
        ? message.parts.map(
            (part, at) =>
              html`<${PartView} key=${at} part=${part} isMarkdown=${isMarkdown && message.role !== "tool"} />`,
          )
        : html`<p class="faint small">Empty</p>`
    }
  </article>`;
}

/** @param {{part: Part, isMarkdown: boolean}} props */
function PartView({ part, isMarkdown }) {
  switch (part.type) {
    case "text":
      return html`<${LongText} text=${part.text} isMarkdown=${isMarkdown} />`;
    case "reasoning":
      return html`<details class="call-reasoning"><summary>Reasoning <span class="faint">${formatCount(part.text.length)} characters</span></summary>
        <${LongText} text=${part.text} isMarkdown=${isMarkdown} /></details>`;
    case "tool_call":
      return html`<div class="call-tool"><p class="row"><${Icon} name="tool" /><b>${part.name}</b><span class="faint tiny truncate">${part.id}</span></p>
        <${LongText} text=${part.input} isMono=${true} /></div>`;
    case "tool_result":
      return html`<div class="call-tool-result">${part.id && html`<p class="faint tiny truncate">for ${part.id}</p>`}<${LongText} text=${part.text} isMono=${true} /></div>`;
    case "image":
      return isInline(part.source)
        ? html`<img class="message-image" src=${part.source} alt="Sent with the message" />`
        : html`<p class="row small"><${Icon} name="image" /><span class="truncate" title=${part.source}>${part.source || "image"}</span></p>`;
    case "file":
      return html`<p class="row small"><${Icon} name="docs" /><span class="truncate">${part.name}</span></p>`;
    default:
      return html`<${LongText} text=${part.text} isMono=${true} />`;
  }
}

/** A text that is folded while it is long. @param {{text: string, isMarkdown?: boolean, isMono?: boolean}} props */
function LongText({ text, isMarkdown = false, isMono = false }) {
  const isOpen = useSignal(false);
  const short = shorten(text);
  const shown = isOpen.value ? text : short;
  return html`${isMarkdown && shown.length < PLAIN_FROM ? html`<${Markdown} text=${shown} />` : html`<pre class="message-text ${isMono ? "mono" : ""}">${shown}</pre>`}
    ${
      short.length < text.length &&
      html`<button type="button" class="button compact plain unfold" aria-expanded=${String(isOpen.value)}
      onClick=${() => {
        isOpen.value = !isOpen.value;
      }}>${isOpen.value ? "Show less" : `Show all ${formatCount(text.length)} characters`}</button>`
    }`;
}

/** The beginning of a long text, to the end of a line where there is one near. @param {string} text */
function shorten(text) {
  let end = Math.min(LONG, text.length);
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) {
    lines += 1;
    if (lines === LONG_LINES) end = at;
  }
  if (end === text.length || text.length - end < 200) return text;
  const border = text.lastIndexOf("\n", end);
  return `${text.slice(0, border > end / 2 ? border : end)}…`;
}
