/** The columns of the table of figures: what each shows, how it is formatted, what is better. */
import { formatCount, formatSeconds, formatUsd, isNumber } from "../format.js";
import { estimateCost, estimateTokens, median } from "./statistics.js";

/** @typedef {import("../streams/lane.js").Lane} Lane */
/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} label
 * @property {string} title
 * @property {"low" | "high" | null} better
 * @property {(metrics: Record<string, any>) => number | null | undefined} read of the `done` event
 * @property {(lane: Lane) => number | null} [estimate] while the answer arrives
 * @property {(value: number | null | undefined) => string} format
 */

/** @param {number | null | undefined} value */
const formatRate = (value) =>
  isNumber(value) ? (value >= 100 ? value.toFixed(0) : value.toFixed(1)) : "–";

/** @type {Column[]} */
export const COLUMNS = [
  {
    id: "time_to_first_token_s",
    label: "First token",
    better: "low",
    format: formatSeconds,
    title: "Time to first token: from the request to the first event with content",
    read: (metrics) => metrics.time_to_first_token_s,
    estimate: (lane) => (lane.arrivals.length ? lane.arrivals[0] / 1000 : null),
  },
  {
    id: "inter_token_latency_p50_s",
    label: "Gap p50",
    better: "low",
    format: formatSeconds,
    title: "Median gap between two events with content",
    read: (metrics) => metrics.inter_token_latency_p50_s,
  },
  {
    id: "inter_token_latency_p95_s",
    label: "Gap p95",
    better: "low",
    format: formatSeconds,
    title: "95 of 100 gaps between two events with content are at most this long",
    read: (metrics) => metrics.inter_token_latency_p95_s,
  },
  {
    id: "tokens_per_second",
    label: "Tokens/s",
    better: "high",
    format: formatRate,
    title: "Output tokens for each second of latency",
    read: (metrics) => metrics.tokens_per_second,
    estimate: (lane) =>
      lane.arrivals.length > 1 ? (estimateTokens(lane) / (lane.arrivals.at(-1) ?? 1)) * 1000 : null,
  },
  {
    id: "latency_s",
    label: "Latency",
    better: "low",
    format: formatSeconds,
    title: "From the request to the last byte of the answer",
    read: (metrics) => metrics.latency_s,
  },
  {
    id: "input_tokens",
    label: "In",
    better: null,
    format: formatCount,
    title: "Input tokens",
    read: (metrics) => metrics.input_tokens,
  },
  {
    id: "output_tokens",
    label: "Out",
    better: null,
    format: formatCount,
    title: "Output tokens, reasoning included",
    read: (metrics) => metrics.output_tokens,
    estimate: (lane) => estimateTokens(lane) || null,
  },
  {
    id: "cost_usd",
    label: "Cost",
    better: "low",
    format: formatUsd,
    title: "US dollars for this call",
    read: (metrics) => metrics.cost_usd,
    estimate: estimateCost,
  },
  {
    id: "million_calls_usd",
    label: "1M calls",
    better: "low",
    format: formatUsd,
    title: "US dollars for a million calls like this one",
    read: (metrics) => (isNumber(metrics.cost_usd) ? metrics.cost_usd * 1e6 : null),
  },
];

/**
 * @typedef {object} Cell
 * @property {number | null} value the median of the runs that are over, else an estimate
 * @property {number[]} values of the runs that are over
 * @property {boolean} isEstimate
 * @property {boolean} isBest of its column
 */

/** @param {Column} column @param {Lane[]} lanes the runs of one model @returns {Cell} */
export function makeCell(column, lanes) {
  const values = lanes.map((lane) => lane.metrics && column.read(lane.metrics)).filter(isNumber);
  if (values.length) return { value: median(values), values, isEstimate: false, isBest: false };
  const { estimate } = column;
  const now = estimate
    ? lanes
        .filter((lane) => !lane.metrics)
        .map(estimate)
        .filter(isNumber)
    : [];
  return { value: median(now), values: [], isEstimate: now.length > 0, isBest: false };
}

/**
 * One row for each model, with the best values of each column marked.
 * @param {Lane[][]} groups the runs of each model
 * @returns {Record<string, Cell>[]}
 */
export function makeRows(groups) {
  const rows = groups.map((lanes) =>
    Object.fromEntries(COLUMNS.map((column) => [column.id, makeCell(column, lanes)])),
  );
  for (const { id, better } of COLUMNS) {
    const known = rows.map((row) => row[id]).filter((cell) => cell.values.length);
    if (!better || known.length < 2) continue;
    const all = known.map((cell) => /** @type {number} */ (cell.value));
    const best = better === "low" ? Math.min(...all) : Math.max(...all);
    if (all.every((value) => value === best)) continue;
    for (const cell of known) cell.isBest = cell.value === best;
  }
  return rows;
}

/** @typedef {{id: string, isDescending: boolean} | null} Sorting */

/**
 * The order of the rows: positions in `rows`. What is unknown comes last, whichever way.
 * @param {Record<string, Cell>[]} rows @param {Sorting} sorting @param {string[]} names
 */
export function sortRows(rows, sorting, names) {
  const order = rows.map((_, at) => at);
  if (!sorting) return order;
  const sign = sorting.isDescending ? -1 : 1;
  if (sorting.id === "model")
    return order.sort((a, b) => sign * names[a].localeCompare(names[b]) || a - b);
  return order.sort((a, b) => {
    const [one, other] = [rows[a][sorting.id]?.value ?? null, rows[b][sorting.id]?.value ?? null];
    if (one === null || other === null)
      return Number(one === null) - Number(other === null) || a - b;
    return sign * (one - other) || a - b;
  });
}

/** The next state of a column's head: best first, then worst first, then as asked. @param {Sorting} now @param {string} id @returns {Sorting} */
export function nextSorting(now, id) {
  const isDescendingFirst = COLUMNS.find((column) => column.id === id)?.better === "high";
  if (now?.id !== id) return { id, isDescending: isDescendingFirst };
  return now.isDescending === isDescendingFirst ? { id, isDescending: !isDescendingFirst } : null;
}
