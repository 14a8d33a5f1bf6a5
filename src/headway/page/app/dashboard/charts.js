/** The charts of the dashboard: of everything, or split by one dimension. */
import { useSignal } from "@preact/signals";
import { Segmented } from "../components/basics.js";
import { Chart } from "../components/chart.js";
import { seriesColor } from "../components/color.js";
import { formatBrief, formatSeconds, formatUsd, isNumber } from "../format.js";
import { html } from "../html.js";
import { navigate, routeHref } from "../state/router.js";
import { FILTERS } from "./filter_chips.js";
import { goBack } from "./ranges.js";
import {
  byTime,
  FIGURES,
  metricOf,
  OTHER,
  splitGroups,
  stack,
  sumBySteps,
  valuesOf,
} from "./usage.js";

const GROUPS = 6;
/** With more steps, areas are drawn in place of bars. */
const MAX_BARS = 62;
/** @typedef {"p50" | "p95" | "p99"} Percentile */

const SUM_CHARTS = [
  { title: "Spend", figure: FIGURES.cost, format: formatUsd },
  { title: "Requests", figure: FIGURES.calls, format: formatBrief },
  { title: "Tokens", figure: FIGURES.totalTokens, format: formatBrief },
  { title: "Failed", figure: FIGURES.failed, format: formatBrief },
];
const METRIC_CHARTS = [
  { title: "Time to first token", metric: "time_to_first_token_s", format: formatSeconds },
  { title: "Inter-token latency", metric: "inter_token_latency_s", format: formatSeconds },
  { title: "Latency", metric: "latency_s", format: formatSeconds },
  {
    title: "Tokens a second",
    metric: "tokens_per_second",
    format: (/** @type {number | null} */ value) => (isNumber(value) ? value.toFixed(0) : "–"),
  },
];

/**
 * @param {{report: import("./usage.js").UsageReport, parts: import("./usage.js").UsageReport | null,
 *   split: string, steps: number[], range: import("./ranges.js").Range, query: URLSearchParams}} props
 */
export function Charts({ report, parts, split, steps, range, query }) {
  const percentile = useSignal(/** @type {Percentile} */ ("p95"));
  const rows = byTime(report.data, range.step);
  const before =
    report.previous && byTime(report.previous.data, range.step, offsetOf(report, steps));
  const groups = parts && split ? splitGroups(parts.data, split, FIGURES.calls, GROUPS) : null;
  /** The calls behind a point. @param {number} at */
  const pick = (at) => {
    const from = new Date(steps[at] * 1000);
    const filters = Object.fromEntries(FILTERS.map((name) => [name, query.getAll(name)]));
    const times = { since: from.toISOString(), until: goBack(from, range.step, -1).toISOString() };
    navigate(routeHref("logs", [], { ...filters, ...times }));
  };
  const sums = SUM_CHARTS.map((chart) => ({
    ...chart,
    series: groups
      ? stackGroups(groups, range.step, steps, chart.figure)
      : chart.title === "Tokens"
        ? stackTokens(rows, steps)
        : [
            {
              label: chart.title,
              ...shapeFor(steps),
              color: chart.title === "Failed" ? "--bad" : undefined,
              values: valuesOf(rows, steps, chart.figure),
            },
            ...drawBefore(before, steps, chart.figure),
          ],
  }));
  const metrics = METRIC_CHARTS.map((chart) => ({
    ...chart,
    series: groups
      ? groups
          .filter((group) => group.name !== OTHER)
          .map((group, at) => ({
            label: group.name,
            color: seriesColor(at),
            values: valuesOf(
              byTime(group.rows, range.step),
              steps,
              metricOf(chart.metric, percentile.value),
            ),
          }))
      : [
          {
            label: "p50",
            isArea: true,
            values: valuesOf(rows, steps, metricOf(chart.metric, "p50")),
          },
          {
            label: "p95",
            color: "--series-2",
            values: valuesOf(rows, steps, metricOf(chart.metric, "p95")),
          },
          ...drawBefore(before, steps, metricOf(chart.metric, "p95"), "p95 before", "--series-2"),
        ],
  }));
  return html`
    ${groups && html`<${Legend} series=${groups.map((group, at) => ({ label: group.name, color: group.name === OTHER ? "--line-strong" : seriesColor(at) }))} />`}
    <div class="charts">${sums.map((chart) => html`<${ChartCard} key=${chart.title} ...${chart} hasLegend=${!groups} steps=${steps} onPick=${pick} />`)}</div>
    ${
      groups &&
      html`<div class="row between dashboard-section"><h2>Speed by ${split}</h2>
      <${Segmented} label="Percentile" value=${percentile.value} onChange=${(
        /** @type {Percentile} */ value,
      ) => {
        percentile.value = value;
      }}
        options=${[{ value: "p50", label: "p50" }, { value: "p95", label: "p95" }, { value: "p99", label: "p99" }]} /></div>`
    }
    <div class="charts">${metrics.map((chart) => html`<${ChartCard} key=${chart.title} ...${chart} hasLegend=${!groups} steps=${steps} onPick=${pick} />`)}</div>`;
}

/** @param {{title: string, series: any[], format: any, hasLegend: boolean, steps: number[],
 *   onPick: (at: number) => void}} props */
function ChartCard({ title, series, format, hasLegend, steps, onPick }) {
  // Stacked series are drawn from the highest down, and named from the lowest up.
  const named = series[0]?.shown ? [...series].reverse() : series;
  return html`<section class="card padded chart-card">
    <div class="row between chart-card-head"><h3>${title}</h3>
      ${hasLegend && series.length > 1 && html`<${Legend} series=${named} />`}</div>
    <${Chart} x=${steps} series=${series} format=${format} height=${190} label=${`${title} over time`} onPick=${onPick} />
  </section>`;
}

/** @param {{series: {label: string, color?: string, isDashed?: boolean}[]}} props */
function Legend({ series }) {
  return html`<div class="chart-legend">
    ${series.map(
      (
        one,
        at,
      ) => html`<span key=${one.label} title=${one.label}><i class="swatch ${one.isDashed ? "is-dashed" : ""}"
        style=${{ "--swatch": `var(${one.color ?? seriesColor(at)})` }} /><span class="truncate">${one.label}</span></span>`,
    )}
  </div>`;
}

/** @param {number[]} steps @param {boolean} [isStacked] */
const shapeFor = (steps, isStacked = false) =>
  steps.length <= MAX_BARS ? { isBars: true } : isStacked ? { isStacked } : { isArea: true };

/** What must be added to a time of the period before to lie in this one. @param {any} report @param {number[]} steps */
const offsetOf = (report, steps) =>
  report.previous.since
    ? Math.round((Date.parse(report.since) - Date.parse(report.previous.since)) / 1000)
    : (steps.at(-1) ?? 0) - steps[0];

/** @param {Map<number, any> | null} rows @param {number[]} steps @param {any} figure */
function drawBefore(rows, steps, figure, label = "period before", color = "--text-3") {
  if (!rows?.size) return [];
  return [{ label, isDashed: true, color, values: nearest(rows, steps, figure) }];
}

/** Values of rows that may lie up to half a step beside the steps. @param {Map<number, any>} rows
 * @param {number[]} steps @param {any} figure */
function nearest(rows, steps, figure) {
  const size = steps.length > 1 ? steps[1] - steps[0] : 1;
  const placed = new Map(
    [...rows].map(([time, row]) => [Math.round((time - steps[0]) / size), row]),
  );
  return steps.map((_, at) => (placed.has(at) ? figure(placed.get(at)) : null));
}

/** @param {{name: string, rows: any[]}[]} groups @param {string} step @param {number[]} steps @param {any} figure */
function stackGroups(groups, step, steps, figure) {
  const shown = groups.map((group) => sumBySteps(group.rows, step, steps, figure));
  return stack(shown)
    .map((values, at) => ({
      label: groups[at].name,
      color: groups[at].name === OTHER ? "--line-strong" : seriesColor(at),
      ...shapeFor(steps, true),
      values,
      shown: shown[at].map((value) => value || null),
    }))
    .reverse();
}

/** @param {Map<number, any>} rows @param {number[]} steps */
function stackTokens(rows, steps) {
  const kinds = [
    { label: "output", color: "--series-2", figure: FIGURES.outputTokens },
    {
      label: "input",
      color: "--series-1",
      figure: (/** @type {any} */ row) => row.input_tokens - row.cache_read_tokens,
    },
    { label: "cached input", color: "--series-5", figure: FIGURES.cachedTokens },
  ];
  const shown = kinds.map((kind) =>
    steps.map((step) => (rows.has(step) ? (kind.figure(rows.get(step)) ?? 0) : 0)),
  );
  return stack(shown)
    .map((values, at) => ({
      label: kinds[at].label,
      color: kinds[at].color,
      ...shapeFor(steps, true),
      values,
      shown: shown[at],
    }))
    .reverse();
}
