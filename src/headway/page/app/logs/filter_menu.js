/** The panel in which filters are made: first what to filter by, then its values. */
import { useSignal } from "@preact/signals";
import { Icon } from "../components/icon.js";
import { SearchList } from "../components/list_box.js";
import { formatCount } from "../format.js";
import { html } from "../html.js";
import { useFacets } from "./facets.js";
import { describeFilters, FILTERS, withValues } from "./filters.js";
import { RangeForm } from "./range_form.js";
import { showQuery } from "./state.js";

/** @param {{query: URLSearchParams, name?: string, onDone: () => void}} props `name`: of a filter that is there */
export function FilterMenu({ query, name, onDone }) {
  const picked = useSignal(name ?? "");
  if (!picked.value) {
    const set = describeFilters(query).map((chip) => chip.name);
    const items = Object.entries(FILTERS).map(([id, kind]) => ({
      id,
      text: kind.label,
      selected: set.includes(id),
    }));
    return html`<${SearchList} label="Filter by" items=${items} onPick=${(
      /** @type {{id: string}} */ item,
    ) => {
      picked.value = item.id;
    }} />`;
  }
  if (FILTERS[picked.value].range)
    return html`<${RangeForm} key=${picked.value} query=${query} name=${picked.value} onDone=${onDone} />`;
  return html`<${ValueList} key=${picked.value} query=${query} name=${picked.value} />`;
}

/** @param {{query: URLSearchParams, name: string}} props */
function ValueList({ query, name }) {
  const kind = FILTERS[name];
  const facets = useFacets(query, name);
  const chosen = query.getAll(name);
  const counts = new Map((facets?.values[name] ?? []).map((one) => [one.value, one.count]));
  const values = [
    ...new Set([...chosen, ...counts.keys(), ...(kind.choices ?? kind.suggestions ?? [])]),
  ];
  const items = values.map((value) => ({
    id: value,
    text: value,
    selected: chosen.includes(value),
    render:
      () => html`<span class="option-box ${chosen.includes(value) ? "is-on" : ""}">${chosen.includes(value) && html`<${Icon} name="check" />`}</span>
      <span class="grow truncate" title=${value}>${value}</span>
      ${counts.has(value) && html`<span class="faint tiny number">${formatCount(counts.get(value))}</span>`}`,
  }));
  /** @param {string} search */
  const makeItem = (search) =>
    search && !kind.choices && !values.includes(search)
      ? {
          id: search,
          text: search,
          render: () =>
            html`<${Icon} name="plus" /><span class="grow truncate">${kind.label} <b>${search}</b></span>`,
        }
      : null;
  return html`<${SearchList} label=${kind.label} placeholder=${kind.hint ? `${kind.label}: ${kind.hint}` : `${kind.label} is any of…`}
      items=${items} makeItem=${makeItem}
      empty=${facets ? "No value is known: type one." : "Counting…"}
      onPick=${(/** @type {{id: string}} */ item) => {
        const others = chosen.filter((value) => value !== item.id);
        showQuery(
          withValues(query, {
            [name]: others.length === chosen.length ? [...chosen, item.id] : others,
          }),
        );
      }} />
    ${facets?.isCut && html`<p class="panel-note">Counts are of the newest ${formatCount(facets.calls)} calls.</p>`}`;
}
