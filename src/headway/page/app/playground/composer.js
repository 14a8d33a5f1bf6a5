/** Where the prompt is written: grows with it, takes pictures, sends by Enter. */
import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { showToast } from "../components/toasts.js";
import { formatBrief } from "../format.js";
import { html } from "../html.js";
import { draft, isRunning, model, problem, sendDraft, settings, stop } from "./conversation.js";
import { imageFiles, MAX_EDGE, readImage, TYPES } from "./images.js";
import { describeSettings } from "./settings.js";
import { Thumbnails } from "./thumbnails.js";

const MAX_HEIGHT = 0.4;
const isReading = signal(false);

/** Puts the cursor into the prompt. */
export function focusPrompt() {
  requestAnimationFrame(() => document.getElementById("prompt")?.focus({ preventScroll: true }));
}

/** @param {Iterable<Blob>} files */
export async function addImages(files) {
  isReading.value = true;
  let smaller = 0;
  for (const file of files) {
    try {
      const { url, isSmaller } = await readImage(file);
      smaller += isSmaller ? 1 : 0;
      draft.value = { ...draft.peek(), images: [...draft.peek().images, url] };
    } catch (error) {
      showToast(/** @type {Error} */ (error).message, "warn");
    }
  }
  isReading.value = false;
  if (smaller)
    showToast(
      `${smaller === 1 ? "A picture was" : `${smaller} pictures were`} made smaller, to at most ${MAX_EDGE} pixels`,
      "image",
    );
}

/** @param {{onSettings: () => void}} props */
export function Composer({ onSettings }) {
  const { text, images } = draft.value;
  const canSend = (text.trim() !== "" || images.length > 0) && !problem.value && !isReading.value;
  return html`<div class="composer-place"><form class="prompt-form" onSubmit=${(
    /** @type {SubmitEvent} */ event,
  ) => {
    event.preventDefault();
    sendDraft();
  }}>
    <${Thumbnails} images=${images} onRemove=${(/** @type {number} */ at) => {
      draft.value = { text, images: images.filter((_, other) => other !== at) };
    }} />
    ${images.length > 0 && html`<${ImageNotice} images=${images} />`}
    <${PromptField} text=${text} images=${images} />
    <div class="composer-tools">
      <${AttachButton} />
      <${Chips} onSettings=${onSettings} />
      ${
        isRunning.value
          ? html`<button type="button" class="button primary icon send" aria-label="Stop" title="Stop (Escape)" onClick=${stop}><${Icon} name="stop" /></button>`
          : html`<button class="button primary icon send" aria-label="Send" title=${problem.value ?? "Send (Enter)"} disabled=${!canSend}><${Icon} name="send" /></button>`
      }
    </div>
  </form></div>`;
}

/** @param {{text: string, images: string[]}} props */
function PromptField({ text, images }) {
  const ref = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useLayoutEffect(() => {
    const field = ref.current;
    if (!field) return;
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, innerHeight * MAX_HEIGHT)}px`;
  }, [text]);
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    sendDraft();
  };
  return html`<textarea ref=${ref} id="prompt" class="prompt" rows="1" aria-label="Prompt" placeholder="Ask something"
    value=${text} onKeyDown=${onKey}
    onInput=${(/** @type {InputEvent} */ event) => {
      draft.value = { text: /** @type {HTMLTextAreaElement} */ (event.target).value, images };
    }}
    onPaste=${(/** @type {ClipboardEvent} */ event) => {
      const files = imageFiles(event.clipboardData);
      if (!files.length) return;
      event.preventDefault();
      addImages(files);
    }}></textarea>`;
}

function AttachButton() {
  const ref = useRef(/** @type {HTMLInputElement | null} */ (null));
  return html`<${IconButton} icon="image" label="Attach pictures (or paste, or drop them)" onClick=${() => ref.current?.click()} />
    <input ref=${ref} type="file" accept=${TYPES.join(",")} multiple hidden aria-label="Pictures"
      onChange=${(/** @type {Event} */ event) => {
        const field = /** @type {HTMLInputElement} */ (event.target);
        addImages([...(field.files ?? [])]).then(focusPrompt);
        field.value = "";
      }} />`;
}

/** What goes with the prompt, or what keeps it from being sent. @param {{onSettings: () => void}} props */
function Chips({ onSettings }) {
  const chips = describeSettings(settings.value, model.value);
  return html`<div class="composer-chips grow">
    ${problem.value && draft.value.text && html`<button type="button" class="tag bad tag-button" onClick=${onSettings}>${problem.value}</button>`}
    ${chips.map((chip) => html`<button key=${chip} type="button" class="tag tag-button" title="Open the settings" onClick=${onSettings}>${chip}</button>`)}
  </div>`;
}

/** @param {{images: string[]}} props */
function ImageNotice({ images }) {
  if (model.value?.abilities.images === false) {
    return html`<p class="composer-note tiny stalled"><${Icon} name="warn" /> This model takes no pictures.</p>`;
  }
  const size = images.join("").length * 0.75;
  return html`<p class="composer-note tiny faint">${formatBrief(size)}B in all; larger than ${MAX_EDGE} pixels are made smaller.</p>`;
}
