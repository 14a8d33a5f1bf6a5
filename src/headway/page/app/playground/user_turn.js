/** What the user said: shown as typed, edited in place, asked again. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { IconButton } from "../components/basics.js";
import { copyText } from "../components/toasts.js";
import { html } from "../html.js";
import { Alternatives } from "./alternatives.js";
import { deleteTurn, resend } from "./conversation.js";
import { Thumbnails } from "./thumbnails.js";

/** Longer prompts are folded. */
const FOLDED_LINES = 14;
const FOLDED_CHARS = 1800;

/** @param {{turn: import("./turns.js").Turn}} props */
export function UserTurn({ turn }) {
  const isEditing = useSignal(false);
  const stopEditing = () => {
    isEditing.value = false;
  };
  if (isEditing.value) return html`<${Editor} turn=${turn} onDone=${stopEditing} />`;
  return html`<article class="turn user-turn" aria-label="Your message">
    <div class="bubble">
      <${Thumbnails} images=${turn.images} />
      ${turn.lostImages > 0 && html`<p class="tiny faint">${turn.lostImages === 1 ? "A picture was" : `${turn.lostImages} pictures were`} left out of the link.</p>`}
      <${FoldedText} text=${turn.text} />
    </div>
    <div class="turn-actions">
      <${Alternatives} turn=${turn} />
      <${IconButton} icon="edit" label="Edit and send again" class="plain compact" onClick=${() => {
        isEditing.value = true;
      }} />
      <${IconButton} icon="copy" label="Copy" class="plain compact" onClick=${() => copyText(turn.text, "Message")} />
      <${IconButton} icon="trash" label="Delete from here" class="plain compact" onClick=${() => deleteTurn(turn.id)} />
    </div>
  </article>`;
}

/** @param {{text: string}} props */
function FoldedText({ text }) {
  const isWhole = useSignal(false);
  const lines = text.split("\n");
  const isLong = lines.length > FOLDED_LINES + 2 || text.length > FOLDED_CHARS * 1.2;
  const shown =
    isLong && !isWhole.value
      ? lines.slice(0, FOLDED_LINES).join("\n").slice(0, FOLDED_CHARS)
      : text;
  return html`${text && html`<div class="user-text">${shown}${shown.length < text.length && "…"}</div>`}
    ${
      isLong &&
      html`<button type="button" class="button plain compact" aria-expanded=${String(isWhole.value)} onClick=${() => {
        isWhole.value = !isWhole.value;
      }}>${isWhole.value ? "Show less" : `Show all ${lines.length > FOLDED_LINES ? `${lines.length} lines` : `${text.length} characters`}`}</button>`
    }`;
}

/** @param {{turn: import("./turns.js").Turn, onDone: () => void}} props */
function Editor({ turn, onDone }) {
  const text = useSignal(turn.text);
  const images = useSignal(turn.images);
  const ref = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useEffect(() => {
    ref.current?.focus();
    ref.current?.setSelectionRange(text.value.length, text.value.length);
  }, []);
  const isEmpty = !text.value.trim() && !images.value.length;
  const submit = () => {
    if (isEmpty) return;
    onDone();
    resend(turn.id, text.value, images.value);
  };
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      onDone();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  };
  return html`<article class="turn user-turn editing" aria-label="Edit your message">
    <div class="bubble">
      <${Thumbnails} images=${images.value} onRemove=${(/** @type {number} */ at) => {
        images.value = images.value.filter((_, other) => other !== at);
      }} />
      <textarea ref=${ref} class="textarea auto" aria-label="Message" value=${text} onKeyDown=${onKey}
        onInput=${(/** @type {InputEvent} */ event) => {
          text.value = /** @type {HTMLTextAreaElement} */ (event.target).value;
        }}></textarea>
      <div class="row">
        <span class="tiny faint grow">Asked as another branch; this one stays.</span>
        <button type="button" class="button compact" onClick=${onDone}>Cancel</button>
        <button type="button" class="button primary compact" disabled=${isEmpty} onClick=${submit}>Send</button>
      </div>
    </div>
  </article>`;
}
