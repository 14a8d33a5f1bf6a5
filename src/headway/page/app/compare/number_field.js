/** A small field for a number, with its name beside it. Empty: what the model has by itself. */
import { html } from "../html.js";

/**
 * @param {{label: string, title?: string, value: number | undefined, min?: number, max?: number, step?: number,
 *   isNeeded?: boolean, onChange: (value: number | undefined) => void}} props
 */
export function NumberField({ label, title, value, min, max, step, isNeeded = false, onChange }) {
  /** @param {Event} event */
  const take = (event) => {
    const typed = /** @type {HTMLInputElement} */ (event.target).value;
    const number = Number(typed);
    if (typed === "" && !isNeeded) onChange(undefined);
    else if (
      typed !== "" &&
      Number.isFinite(number) &&
      number >= (min ?? number) &&
      number <= (max ?? number)
    )
      onChange(number);
  };
  return html`<label class="number-field" title=${title}>${label}
    <input class="input number" type="number" inputmode="decimal" min=${min} max=${max} step=${step}
      placeholder="auto" value=${value ?? ""} onInput=${take} /></label>`;
}
