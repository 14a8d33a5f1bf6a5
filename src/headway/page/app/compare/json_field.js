/** Further parameters as JSON, for all that has no field of its own. */
import { useSignal } from "@preact/signals";
import { Popover } from "../components/dialog.js";
import { html } from "../html.js";

/**
 * @param {{parameters: Record<string, any>, hidden?: string[], onChange: (values: Record<string, any>) => void}} props
 *   `hidden` have fields of their own
 */
export function JsonField({ parameters, hidden = [], onChange }) {
  const isOpen = useSignal(false);
  const count = Object.keys(parameters).filter((name) => !hidden.includes(name)).length;
  const button = html`<button type="button" class="button plain compact" aria-expanded=${String(isOpen.value)}
    onClick=${() => {
      isOpen.value = !isOpen.value;
    }}>Parameters${count > 0 && html` <span class="tag">${count}</span>`}</button>`;
  return html`<${Popover} button=${button} isOpen=${isOpen.value} onClose=${() => {
    isOpen.value = false;
  }} class="json-popover">
    <${JsonEditor} label="Further parameters of all models, JSON" parameters=${parameters} hidden=${hidden} onChange=${onChange} />
  </${Popover}>`;
}

/** @param {{label: string, parameters: Record<string, any>, hidden?: string[], onChange: (values: Record<string, any>) => void}} props */
export function JsonEditor({ label, parameters, hidden = [], onChange }) {
  const shown = Object.fromEntries(
    Object.entries(parameters).filter(([name]) => !hidden.includes(name)),
  );
  const kept = Object.fromEntries(
    Object.entries(parameters).filter(([name]) => hidden.includes(name)),
  );
  const typed = useSignal(Object.keys(shown).length ? JSON.stringify(shown, null, 2) : "");
  const problem = useSignal("");
  /** @param {Event} event */
  const take = (event) => {
    typed.value = /** @type {HTMLTextAreaElement} */ (event.target).value;
    const values = parse(typed.value);
    problem.value = values ? "" : "This is not an object in JSON.";
    if (values) onChange({ ...kept, ...values });
  };
  return html`<div class="field"><span class="field-label">${label}</span>
    <textarea class="textarea mono" rows="4" spellcheck=${false} aria-label=${label} aria-invalid=${String(problem.value !== "")}
      placeholder=${'{"top_p": 0.9, "seed": 7}'} value=${typed} onInput=${take} />
    ${problem.value && html`<span class="problem">${problem}</span>`}</div>`;
}

/** @param {string} text @returns {Record<string, any> | null} */
function parse(text) {
  if (!text.trim()) return {};
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
