/** Figures of one lane, of several runs, and of what is still running. Values without DOM. */

/** @param {number[]} values @returns {number | null} */
export function median(values) {
  if (!values.length) return null;
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Characters of a token, on average. */
const TOKEN_SIZE = 4.4;

/**
 * Tokens of an answer that is still arriving. Most providers send a token an event; where events are
 * long, they are several.
 * @param {{arrivals: number[], sizes: number[]}} lane
 */
export function estimateTokens({ arrivals, sizes }) {
  const events = arrivals.length;
  if (!events) return 0;
  const characters = charactersOf(sizes);
  return characters / events > 9 ? Math.round(characters / TOKEN_SIZE) : events;
}

/**
 * US dollars until now, from the listed prices and estimated tokens.
 * @param {{arrivals: number[], sizes: number[], prices: Record<string, any> | null, askedSize: number}} lane
 * @returns {number | null}
 */
export function estimateCost(lane) {
  const { input, output } = lane.prices ?? {};
  const tokens = estimateTokens(lane);
  if (typeof input !== "number" || typeof output !== "number" || !tokens) return null;
  return ((lane.askedSize / TOKEN_SIZE) * input + tokens * output) / 1e6;
}

const sums = new WeakMap();

/** The running total of `sizes`, which may grow: [3, 2] is [3, 5]. @param {number[]} sizes @returns {number[]} */
export function totalsOf(sizes) {
  const totals = sums.get(sizes) ?? [];
  for (let at = totals.length; at < sizes.length; at += 1)
    totals.push((totals[at - 1] ?? 0) + sizes[at]);
  sums.set(sizes, totals);
  return totals;
}

/** @param {number[]} sizes */
export const charactersOf = (sizes) => totalsOf(sizes).at(-1) ?? 0;

/** How many of the sorted `values` are at most `limit`. @param {number[]} values @param {number} limit */
export function countUpTo(values, limit) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A gap this many times the median is a stall, as the rhythm draws it. */
const STALL = 4;
const STALL_MS = 20;

/**
 * Gaps that stand out: [index of the event before, length in milliseconds].
 * @param {number[]} arrivals milliseconds
 * @returns {[number, number][]}
 */
export function findStalls(arrivals) {
  if (arrivals.length < 3) return [];
  const gaps = arrivals.slice(1).map((time, at) => time - arrivals[at]);
  const limit = /** @type {number} */ (median(gaps)) * STALL + STALL_MS;
  /** @type {[number, number][]} */
  const stalls = [];
  gaps.forEach((gap, at) => {
    if (gap > limit) stalls.push([at, gap]);
  });
  return stalls;
}
