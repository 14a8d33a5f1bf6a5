/** The filters of the dashboard, each with a button that takes it away. */
import { Icon } from "../components/icon.js";
import { html } from "../html.js";

export const FILTERS = ["provider", "model", "key", "user", "tag", "session", "route", "outcome"];

/** @param {{query: URLSearchParams, onChange: (changes: Record<string, string[]>) => void}} props */
export function FilterChips({ query, onChange }) {
  const chips = FILTERS.flatMap((name) => query.getAll(name).map((value) => ({ name, value })));
  if (!chips.length) return null;
  return html`<div class="row wrap filter-chips" aria-label="Filters">
    ${chips.map(
      ({
        name,
        value,
      }) => html`<button key=${`${name} ${value}`} type="button" class="button compact"
        aria-label=${`Remove the filter ${name} ${value}`}
        onClick=${() => onChange({ [name]: query.getAll(name).filter((one) => one !== value) })}>
        <span class="faint">${name}</span> ${value} <${Icon} name="close" /></button>`,
    )}
  </div>`;
}
