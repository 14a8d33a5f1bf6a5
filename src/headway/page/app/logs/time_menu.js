/** The range of time: a usual one, or exact times. */
import { useSignal } from "@preact/signals";
import { html } from "../html.js";
import { withValues } from "./filters.js";
import { showQuery } from "./state.js";
import { fromLocalInput, PRESETS, toLocalInput } from "./time_range.js";

/** @param {{query: URLSearchParams, onDone: () => void}} props */
export function TimeMenu({ query, onDone }) {
  const since = useSignal(toLocalInput(query.get("since")));
  const until = useSignal(toLocalInput(query.get("until")));
  const isWrong = since.value !== "" && until.value !== "" && since.value >= until.value;
  /** @param {string} from @param {string} to */
  const apply = (from, to) => {
    showQuery(withValues(query, { since: from || null, until: to || null }));
    onDone();
  };
  const current = query.get("until") ? null : (query.get("since") ?? "");
  /** @param {import("@preact/signals").Signal<string>} value @param {string} label */
  const input = (
    value,
    label,
  ) => html`<div class="field"><label for=${`time-${label}`}>${label}</label>
    <input id=${`time-${label}`} class="input number" type="datetime-local" value=${value} aria-invalid=${String(isWrong)}
      onInput=${(/** @type {InputEvent} */ event) => {
        value.value = /** @type {HTMLInputElement} */ (event.target).value;
      }} /></div>`;
  return html`<div class="time-menu">
    <div role="group" aria-label="Usual ranges">
      ${PRESETS.map(
        (
          preset,
        ) => html`<button key=${preset.value} type="button" class="option" aria-pressed=${String(preset.value === current)}
        onClick=${() => apply(preset.value, "")}>${preset.label}</button>`,
      )}
    </div>
    <form class="panel-form" onSubmit=${(/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      if (!isWrong) apply(fromLocalInput(since.value), fromLocalInput(until.value));
    }}>
      ${input(since, "From")}${input(until, "To")}
      ${isWrong && html`<p class="tiny is-problem">The end must be after the beginning.</p>`}
      <button class="button compact primary" disabled=${isWrong || (!since.value && !until.value)}>Apply</button>
      <p class="faint tiny">Times of this browser.</p>
    </form>
  </div>`;
}
