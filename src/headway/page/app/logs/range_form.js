/** A least and a greatest value: of latency or cost. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { FILTERS, withValues } from "./filters.js";
import { showQuery } from "./state.js";

/** @param {{query: URLSearchParams, name: string, onDone: () => void}} props */
export function RangeForm({ query, name, onDone }) {
  const kind = FILTERS[name];
  const [low, high] = /** @type {[string, string]} */ (kind.range);
  const least = useSignal(query.get(low) ?? "");
  const most = useSignal(query.get(high) ?? "");
  const first = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => first.current?.focus(), []);
  const isWrong =
    least.value !== "" && most.value !== "" && Number(least.value) > Number(most.value);
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    if (isWrong) return;
    showQuery(withValues(query, { [low]: least.value || null, [high]: most.value || null }));
    onDone();
  };
  /** @param {import("@preact/signals").Signal<string>} value @param {string} label @param {any} [ref] */
  const input = (
    value,
    label,
    ref,
  ) => html`<div class="field"><label for=${`range-${label}`}>${label}</label>
    <input ref=${ref} id=${`range-${label}`} class="input number" type="number" min="0" step="any" placeholder="any" value=${value}
      aria-invalid=${String(isWrong)}
      onInput=${(/** @type {InputEvent} */ event) => {
        value.value = /** @type {HTMLInputElement} */ (event.target).value;
      }} /></div>`;
  return html`<form class="panel-form" onSubmit=${submit}>
    <p class="small"><b>${kind.label}</b> <span class="faint">in ${kind.unit}</span></p>
    <div class="row">${input(least, "At least", first)}${input(most, "At most")}</div>
    ${isWrong && html`<p class="tiny is-problem">The first must not be above the second.</p>`}
    <button class="button compact primary" disabled=${isWrong}>Apply</button>
  </form>`;
}
