/** What `GET /api/usage` tells, arranged for charts and tables. Nothing here touches the page. */

/**
 * @typedef {{p50: number, p95: number, p99: number, mean: number, count: number}} Distribution
 * @typedef {object} UsageRow
 * @property {Record<string, string | null>} group
 * @property {number} calls
 * @property {number} failed calls that did not end well
 * @property {number | null} errors those of them that failed; the others were cancelled or refused
 * @property {number} input_tokens
 * @property {number} output_tokens
 * @property {number} total_tokens
 * @property {number} cache_read_tokens
 * @property {number | null} cost_usd
 * @property {number} saved_usd
 * @property {Record<string, Distribution>} metrics
 * @property {Distribution | null} gaps
 * @typedef {{data: UsageRow[], total: UsageRow, note: string | null, since: string | null, until: string | null,
 *   previous: {data: UsageRow[], total: UsageRow, since: string | null} | null}} UsageReport
 * @typedef {(row: UsageRow) => number | null} Figure
 */

export const OTHER = "other";

/** @param {string} metric @param {"p50" | "p95" | "p99" | "mean"} which @returns {Figure} */
export const metricOf = (metric, which) => (row) => row.metrics[metric]?.[which] ?? null;

/** @type {Record<string, Figure>} */
export const FIGURES = {
  cost: (row) => row.cost_usd,
  calls: (row) => row.calls,
  failed: (row) => row.errors ?? row.failed,
  failedShare: (row) => (row.calls ? (row.errors ?? row.failed) / row.calls : null),
  inputTokens: (row) => row.input_tokens,
  outputTokens: (row) => row.output_tokens,
  totalTokens: (row) => row.total_tokens,
  cachedTokens: (row) => row.cache_read_tokens,
  saved: (row) => row.saved_usd,
};

/** Figures that are sums: where nothing happened they are zero; all others are unknown there. */
const SUMS = new Set([
  FIGURES.cost,
  FIGURES.calls,
  FIGURES.failed,
  FIGURES.inputTokens,
  FIGURES.outputTokens,
  FIGURES.totalTokens,
  FIGURES.cachedTokens,
  FIGURES.saved,
]);

/**
 * The rows by the beginning of their step, in Unix seconds.
 * @param {UsageRow[]} rows @param {string} step @param {number} [offset] seconds to add
 */
export function byTime(rows, step, offset = 0) {
  return new Map(rows.map((row) => [Date.parse(row.group[step] ?? "") / 1000 + offset, row]));
}

/** @param {Map<number, UsageRow>} rows @param {number[]} steps @param {Figure} figure */
export function valuesOf(rows, steps, figure) {
  const missing = SUMS.has(figure) ? 0 : null;
  return steps.map((step) => {
    const row = rows.get(step);
    return row ? figure(row) : missing;
  });
}

/** The name of a row's group. @param {UsageRow} row @param {string} dimension */
export const nameOf = (row, dimension) => row.group[dimension] ?? "(none)";

/**
 * The rows of each group of `dimension`, the greatest first; at most `count` groups, the rest
 * without percentiles, which cannot be added, as `OTHER`.
 * @param {UsageRow[]} rows @param {string} dimension @param {Figure} figure @param {number} count
 * @returns {{name: string, rows: UsageRow[]}[]}
 */
export function splitGroups(rows, dimension, figure, count) {
  /** @type {Map<string, UsageRow[]>} */
  const groups = new Map();
  for (const row of rows) {
    const name = nameOf(row, dimension);
    const known = groups.get(name);
    if (known) known.push(row);
    else groups.set(name, [row]);
  }
  const sum = (/** @type {UsageRow[]} */ some) =>
    some.reduce((all, row) => all + (figure(row) ?? 0), 0);
  const sorted = [...groups].map(([name, some]) => ({ name, rows: some, sum: sum(some) }));
  sorted.sort((a, b) => b.sum - a.sum);
  if (sorted.length <= count) return sorted;
  const rest = sorted.slice(count - 1).flatMap((group) => group.rows);
  return [...sorted.slice(0, count - 1), { name: OTHER, rows: rest }];
}

/** The sum of `figure` in each step: several rows of one step are added. @param {UsageRow[]} rows
 * @param {string} step @param {number[]} steps @param {Figure} figure */
export function sumBySteps(rows, step, steps, figure) {
  /** @type {Map<number, number>} */
  const sums = new Map();
  for (const row of rows) {
    const time = Date.parse(row.group[step] ?? "") / 1000;
    sums.set(time, (sums.get(time) ?? 0) + (figure(row) ?? 0));
  }
  return steps.map((time) => sums.get(time) ?? 0);
}

/** Stacked values: each list is what is drawn, on top of those before. @param {number[][]} lists */
export function stack(lists) {
  /** @type {number[][]} */
  const drawn = [];
  for (const list of lists) {
    const below = drawn.at(-1);
    drawn.push(list.map((value, at) => value + (below?.[at] ?? 0)));
  }
  return drawn;
}

/** The change against the period before, as a share; null where there was none. @param {number | null} now
 * @param {number | null | undefined} before */
export const changeOf = (now, before) => (now === null || !before ? null : now / before - 1);
