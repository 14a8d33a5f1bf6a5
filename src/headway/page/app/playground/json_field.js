/** JSON to type, with what is wrong with it, an example, and a button that formats it. */
import { html } from "../html.js";
import { prettyJson } from "./json_text.js";

/**
 * @param {{id: string, label: string, text: string, read: (text: string) => {problem: string | null},
 *   example: unknown, hint?: string, onChange: (text: string) => void}} props
 */
export function JsonField({ id, label, text, read, example, hint, onChange }) {
  const { problem } = read(text);
  const pretty = prettyJson(text);
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
  };
  return html`<div class="field">
    <label class="visually-hidden" for=${id}>${label}</label>
    ${hint && html`<span class="hint">${hint}</span>`}
    <textarea id=${id} class="textarea mono json-text" rows=${Math.min(16, Math.max(4, text.split("\n").length + 1))} spellcheck=${false}
      aria-invalid=${String(Boolean(problem))} aria-describedby=${problem ? `${id}-problem` : undefined}
      placeholder=${label} value=${text} onKeyDown=${onKey}
      onInput=${(/** @type {InputEvent} */ event) => onChange(/** @type {HTMLTextAreaElement} */ (event.target).value)}></textarea>
    ${problem && html`<span id=${`${id}-problem`} class="problem" role="alert">${problem}</span>`}
    <div class="row">
      ${!text.trim() && html`<button type="button" class="button compact" onClick=${() => onChange(JSON.stringify(example, null, 2))}>Example</button>`}
      ${text.trim() && pretty !== text && html`<button type="button" class="button compact" onClick=${() => onChange(pretty)}>Format</button>`}
      ${text.trim() && html`<button type="button" class="button plain compact" onClick=${() => onChange("")}>Clear</button>`}
    </div>
  </div>`;
}
