/** Dashboard: what was spent, how much was asked, and how fast the answers were, over time. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useResource } from "../api/resource.js";
import { Empty, ErrorNotice, IconButton, Segmented, Skeleton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { changeQuery, route, routeHref } from "../state/router.js";
import { Breakdown, DIMENSIONS } from "./breakdown.js";
import { Charts } from "./charts.js";
import { DateRange } from "./date_range.js";
import { FILTERS, FilterChips } from "./filter_chips.js";
import { DEFAULT_PRESET, listSteps, PRESETS, readRange } from "./ranges.js";
import { Tiles } from "./tiles.js";

const REFRESH_MS = 30_000;

/** The filters of the address, as the API takes them. @param {URLSearchParams} query */
export const readFilters = (query) =>
  Object.fromEntries(FILTERS.map((name) => [name, query.getAll(name)]));

export function Page() {
  const query = route.value.query;
  const turn = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) turn.value = Date.now();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const now = new Date(turn.value);
  const range = readRange(query, now);
  const split = query.get("split") ?? "";
  const comparesBefore = query.get("compare") !== "off";
  const asked = {
    ...readFilters(query),
    since: range.since.toISOString(),
    until: (range.until ?? new Date(Math.ceil(turn.value / 1000) * 1000)).toISOString(),
  };
  const total = useResource("api/usage", {
    ...asked,
    by: range.step,
    compare: comparesBefore ? "previous" : "",
  });
  const parts = useResource(split ? "api/usage" : null, {
    ...asked,
    by: `${split},${range.step}`,
    metric: [
      "time_to_first_token_s",
      "latency_s",
      "tokens_per_second",
      "inter_token_latency_s",
    ].join(","),
  });
  const steps = listSteps(range, now);
  /** @type {any} */
  const report = total.data;
  const isEmpty = report && report.total.calls === 0;
  return html`<div class="page dashboard">
    <header class="page-head">
      <h1>Dashboard</h1>
      <div class="row wrap">
        <${Segmented} label="Range" value=${query.has("since") ? "" : (query.get("range") ?? DEFAULT_PRESET)}
          options=${PRESETS} onChange=${(/** @type {string} */ value) => changeQuery({ range: value, since: null, until: null })} />
        <${DateRange} range=${range} isExact=${query.has("since")} onChange=${changeQuery} />
        <label class="row small quiet">Split by
          <select class="select" value=${split} onChange=${(/** @type {any} */ event) => changeQuery({ split: event.target.value })}>
            <option value="">nothing</option>
            ${DIMENSIONS.map((one) => html`<option key=${one.value} value=${one.value}>${one.label.toLowerCase()}</option>`)}
          </select></label>
        <label class="check"><input type="checkbox" checked=${comparesBefore}
          onChange=${(/** @type {any} */ event) => changeQuery({ compare: event.target.checked ? null : "off" })} />Period before</label>
        <${IconButton} icon="retry" label="Refresh" onClick=${() => {
          turn.value = Date.now();
        }} />
      </div>
    </header>
    <${FilterChips} query=${query} onChange=${changeQuery} />
    ${total.error && html`<${ErrorNotice} error=${total.error} onRetry=${total.reload} />`}
    ${!report && total.isLoading && html`<${Skeleton} lines=${8} height="3rem" />`}
    ${isEmpty && html`<${NothingYet} hasFilters=${FILTERS.some((name) => query.has(name))} />`}
    ${
      report &&
      !isEmpty &&
      html`
      <${Tiles} report=${report} steps=${steps} range=${range} />
      ${parts.error && html`<${ErrorNotice} error=${parts.error} onRetry=${parts.reload} />`}
      <${Charts} report=${report} parts=${split ? parts.data : null} split=${split} steps=${steps} range=${range} query=${query} />
      ${report.note && html`<p class="small quiet row"><${Icon} name="info" />${report.note}</p>`}
      <${Breakdown} asked=${asked} query=${query} onChange=${changeQuery} />`
    }
  </div>`;
}

/** @param {{hasFilters: boolean}} props */
function NothingYet({ hasFilters }) {
  return html`<${Empty} icon="dashboard" title=${hasFilters ? "No calls match" : "No calls in this range"}>
    ${
      hasFilters
        ? html`<p>Take a filter away, or choose a longer range.</p>
          <button type="button" class="button" onClick=${() => changeQuery(Object.fromEntries(FILTERS.map((name) => [name, null])))}>Clear the filters</button>`
        : html`<p>Each call through the gateway appears here with its cost and its times, a second after it ended.</p>
          <a class="button primary" href=${routeHref("playground")}>Open the playground</a>`
    }
  </${Empty}>`;
}
