/** The groups of one dimension in a table: what each costs and how it behaves. */
import { useSignal } from "@preact/signals";
import { useResource } from "../api/resource.js";
import { ErrorNotice, Segmented, Skeleton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import {
  formatBrief,
  formatCount,
  formatSeconds,
  formatShare,
  formatSpeed,
  formatUsd,
} from "../format.js";
import { html } from "../html.js";
import { routeHref } from "../state/router.js";
import { FILTERS } from "./filter_chips.js";
import { FIGURES, metricOf, nameOf } from "./usage.js";

export const DIMENSIONS = [
  { value: "model", label: "Model" },
  { value: "provider", label: "Provider" },
  { value: "key", label: "Key" },
  { value: "user", label: "User" },
  { value: "tag", label: "Tag" },
];
const SHOWN = 50;

/** @type {{name: string, label: string, figure: import("./usage.js").Figure, format: (value: number | null) => string}[]} */
const COLUMNS = [
  { name: "cost", label: "Spend", figure: FIGURES.cost, format: formatUsd },
  { name: "calls", label: "Requests", figure: FIGURES.calls, format: formatCount },
  { name: "failed", label: "Failed", figure: FIGURES.failedShare, format: formatShare },
  { name: "in", label: "Input", figure: FIGURES.inputTokens, format: formatBrief },
  { name: "out", label: "Output", figure: FIGURES.outputTokens, format: formatBrief },
  {
    name: "ttft50",
    label: "First token p50",
    figure: metricOf("time_to_first_token_s", "p50"),
    format: formatSeconds,
  },
  {
    name: "ttft95",
    label: "p95",
    figure: metricOf("time_to_first_token_s", "p95"),
    format: formatSeconds,
  },
  {
    name: "itl50",
    label: "Inter-token p50",
    figure: metricOf("inter_token_latency_s", "p50"),
    format: formatSeconds,
  },
  {
    name: "latency95",
    label: "Latency p95",
    figure: metricOf("latency_s", "p95"),
    format: formatSeconds,
  },
  {
    name: "speed",
    label: "Speed p50",
    figure: metricOf("tokens_per_second", "p50"),
    format: formatSpeed,
  },
];

/** Rows by a column, unknown values last. @param {any[]} rows @param {import("./usage.js").Figure} figure @param {boolean} isDown */
export function sortRows(rows, figure, isDown) {
  return [...rows].sort((a, b) => {
    const [one, other] = [figure(a), figure(b)];
    if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1;
    return isDown ? other - one : one - other;
  });
}

/**
 * @param {{asked: Record<string, unknown>, query: URLSearchParams,
 *   onChange: (changes: Record<string, string | string[] | null>) => void}} props
 */
export function Breakdown({ asked, query, onChange }) {
  const by = query.get("by") ?? "model";
  const column = useSignal("cost");
  const isDown = useSignal(true);
  const isWhole = useSignal(false);
  const { data, error, isLoading, reload } = useResource("api/usage", { ...asked, by });
  const report = /** @type {import("./usage.js").UsageReport | null} */ (data);
  const figure = (COLUMNS.find((one) => one.name === column.value) ?? COLUMNS[0]).figure;
  const rows = sortRows(report?.data ?? [], figure, isDown.value);
  const shown = isWhole.value ? rows : rows.slice(0, SHOWN);
  const most = Math.max(...rows.map((row) => FIGURES.cost(row) ?? 0), 0);
  /** @param {string} name */
  const sort = (name) => {
    isDown.value = column.value === name ? !isDown.value : true;
    column.value = name;
  };
  return html`<section class="card breakdown">
    <div class="card-head"><h2>By ${by}</h2>
      <${Segmented} label="Dimension" value=${by} options=${DIMENSIONS} onChange=${(/** @type {string} */ value) => onChange({ by: value })} /></div>
    ${error && html`<${ErrorNotice} error=${error} onRetry=${reload} />`}
    ${!report && isLoading && html`<div class="card padded"><${Skeleton} lines=${5} /></div>`}
    ${
      report &&
      html`<div class="table-scroll" tabindex="0" role="region" aria-label=${`Table by ${by}`}><table class="table">
      <thead><tr><th>${DIMENSIONS.find((one) => one.value === by)?.label}</th>
        ${COLUMNS.map(
          (
            one,
          ) => html`<th key=${one.name} class="right" aria-sort=${column.value === one.name ? (isDown.value ? "descending" : "ascending") : "none"}>
          <button type="button" onClick=${() => sort(one.name)}>${one.label}${column.value === one.name && html`<${Icon} name=${isDown.value ? "down" : "up"} />`}</button></th>`,
        )}
        <th><span class="visually-hidden">Calls</span></th></tr></thead>
      <tbody>${shown.map((row) => html`<${Row} key=${nameOf(row, by)} row=${row} by=${by} most=${most} query=${query} asked=${asked} onChange=${onChange} />`)}</tbody>
    </table></div>
    ${
      rows.length > shown.length &&
      html`<div class="breakdown-more"><button type="button" class="button plain"
      onClick=${() => {
        isWhole.value = true;
      }}>Show all ${formatCount(rows.length)}</button></div>`
    }`
    }
  </section>`;
}

/** @param {any} props */
function Row({ row, by, most, query, asked, onChange }) {
  const value = row.group[by];
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query.getAll(name)]));
  const href = routeHref("logs", [], { ...filters, since: asked.since, [by]: value });
  return html`<tr>
    <td class="breakdown-name">${
      value === null
        ? html`<span class="faint">none</span>`
        : html`<button type="button" class="link-button truncate"
      title=${`Only ${value}`} onClick=${() => onChange({ [by]: [value] })}>${value}</button>`
    }
      <span class="share" aria-hidden="true"><i style=${{ width: `${most ? ((row.cost_usd ?? 0) / most) * 100 : 0}%` }} /></span></td>
    ${COLUMNS.map((one) => html`<td key=${one.name} class="right">${one.format(one.figure(row))}</td>`)}
    <td class="right">${value !== null && html`<a class="button plain compact" href=${href} aria-label=${`Logs of ${value}`}>Logs</a>`}</td>
  </tr>`;
}
