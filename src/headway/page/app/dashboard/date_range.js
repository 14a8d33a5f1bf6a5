/** Exact dates for the dashboard's range. */
import { useSignal } from "@preact/signals";
import { Popover } from "../components/dialog.js";
import { html } from "../html.js";

/** As a date-time field takes it, in local time. @param {Date} date */
const toField = (date) =>
  new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

/**
 * @param {{range: {since: Date, until: Date | null}, isExact: boolean,
 *   onChange: (changes: Record<string, string | null>) => void}} props
 */
export function DateRange({ range, isExact, onChange }) {
  const isOpen = useSignal(false);
  const problem = useSignal("");
  const close = () => {
    isOpen.value = false;
  };
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const since = new Date(String(fields.get("since")));
    const until = fields.get("until") ? new Date(String(fields.get("until"))) : null;
    if (until && until <= since) {
      problem.value = "The end is not after the beginning.";
      return;
    }
    problem.value = "";
    onChange({ range: null, since: since.toISOString(), until: until?.toISOString() ?? null });
    close();
  };
  const short = (/** @type {Date} */ date) =>
    date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const button = html`<button type="button" class="button" aria-expanded=${String(isOpen.value)} aria-pressed=${String(isExact)}
    onClick=${() => {
      isOpen.value = !isOpen.value;
    }}>${
      isExact ? `${short(range.since)} – ${range.until ? short(range.until) : "now"}` : "Dates"
    }</button>`;
  return html`<${Popover} button=${button} isOpen=${isOpen.value} onClose=${close} class="right">
    <form class="stack date-range" onSubmit=${submit}>
      <div class="field"><label for="range-since">From</label>
        <input id="range-since" class="input" type="datetime-local" name="since" required defaultValue=${toField(range.since)} /></div>
      <div class="field"><label for="range-until">To</label>
        <input id="range-until" class="input" type="datetime-local" name="until" defaultValue=${range.until ? toField(range.until) : ""} />
        ${problem.value ? html`<span class="problem" role="alert">${problem}</span>` : html`<span class="hint">Empty: up to now. Days begin at midnight UTC.</span>`}</div>
      <button class="button primary">Show</button>
    </form>
  </${Popover}>`;
}
