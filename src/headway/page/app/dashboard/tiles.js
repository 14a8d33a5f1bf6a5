/** The figures of the whole range, each beside the period before. */
import { Sparkline } from "../components/sparkline.js";
import {
  formatBrief,
  formatCount,
  formatSeconds,
  formatShare,
  formatSpeed,
  formatUsd,
} from "../format.js";
import { html } from "../html.js";
import { byTime, changeOf, FIGURES, metricOf, valuesOf } from "./usage.js";

/**
 * @typedef {object} Tile
 * @property {string} label
 * @property {import("./usage.js").Figure} figure
 * @property {(value: number | null) => string} format
 * @property {boolean} [isLessBetter]
 * @property {(row: import("./usage.js").UsageRow) => string} [detail]
 */

/** @type {Tile[]} */
const TILES = [
  { label: "Spend", figure: FIGURES.cost, format: formatUsd, detail: describeSpend },
  { label: "Requests", figure: FIGURES.calls, format: formatCount },
  {
    label: "Tokens",
    figure: FIGURES.totalTokens,
    format: formatBrief,
    detail: (row) => `${formatBrief(row.input_tokens)} in, ${formatBrief(row.output_tokens)} out`,
  },
  {
    label: "Failed",
    figure: FIGURES.failedShare,
    format: formatShare,
    isLessBetter: true,
    detail: describeFailures,
  },
  {
    label: "Time to first token",
    figure: metricOf("time_to_first_token_s", "p50"),
    format: formatSeconds,
    isLessBetter: true,
    detail: (row) => `p95 ${formatSeconds(row.metrics.time_to_first_token_s?.p95)}`,
  },
  {
    label: "Inter-token latency",
    figure: metricOf("inter_token_latency_s", "p50"),
    format: formatSeconds,
    isLessBetter: true,
    detail: (row) => `p95 ${formatSeconds(row.metrics.inter_token_latency_s?.p95)}`,
  },
  {
    label: "Speed",
    figure: metricOf("tokens_per_second", "p50"),
    format: formatSpeed,
    detail: (row) => `p95 ${formatSpeed(row.metrics.tokens_per_second?.p95)}`,
  },
  {
    label: "Saved by the cache",
    figure: FIGURES.saved,
    format: formatUsd,
    detail: (row) => `${formatBrief(row.cache_read_tokens)} tokens read from providers' caches`,
  },
];

/** @param {any} row */
function describeFailures(row) {
  if (row.errors === null) return `${formatCount(row.failed)} failed or cancelled`;
  return `${formatCount(row.errors)} failed, ${formatCount(row.failed - row.errors)} cancelled`;
}

/** @param {any} row */
function describeSpend(row) {
  if (row.unpriced) return `${formatCount(row.unpriced)} answers without a price`;
  if (row.estimated_usd) return `${formatUsd(row.estimated_usd)} of it estimated`;
  return "every answer priced";
}

/**
 * @param {{report: import("./usage.js").UsageReport, steps: number[],
 *   range: import("./ranges.js").Range}} props
 */
export function Tiles({ report, steps, range }) {
  const rows = byTime(report.data, range.step);
  return html`<div class="tiles">
    ${TILES.map((tile) => {
      const value = tile.figure(report.total);
      const before = report.previous ? tile.figure(report.previous.total) : null;
      return html`<section key=${tile.label} class="card tile" aria-label=${tile.label}>
        <div class="row between"><h2>${tile.label}</h2>${report.previous && html`<${Change} now=${value} before=${before} tile=${tile} />`}</div>
        <p class="tile-value">${tile.format(value)}</p>
        <p class="tiny faint truncate">${tile.detail?.(report.total) ?? "\u00a0"}</p>
        <${Sparkline} values=${valuesOf(rows, range.until ? steps : steps.slice(0, -1), tile.figure)} />
      </section>`;
    })}
  </div>`;
}

/** @param {{now: number | null, before: number | null, tile: Tile}} props */
function Change({ now, before, tile }) {
  const change = changeOf(now, before);
  if (change === null) return null;
  const isFlat = Math.abs(change) < 0.005;
  const state = isFlat || !tile.isLessBetter ? "" : change < 0 ? "good" : "bad";
  const size =
    Math.abs(change) >= 10 ? `×${(change + 1).toFixed(0)}` : formatShare(Math.abs(change));
  const text = isFlat ? "same" : change < 0 ? `−${size}` : size.startsWith("×") ? size : `+${size}`;
  return html`<span class="tag ${state} number" title=${`Period before: ${tile.format(before)}`}>${text}</span>`;
}
