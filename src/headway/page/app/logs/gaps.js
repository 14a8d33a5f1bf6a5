/** The histogram of the gaps between events, in columns that are wide enough to see. */

/** @typedef {import("./types.js").Gap} Gap */

/**
 * Columns on a logarithmic scale.
 * @param {Gap[]} gaps in ascending order
 * @param {number} [most] columns
 * @returns {Gap[]} with empty ones between
 */
export function toColumns(gaps, most = 36) {
  const known = gaps.filter((gap) => gap.to_s > 0 && gap.count > 0);
  if (!known.length) return [];
  const low = Math.max(1e-6, known[0].from_s || known[0].to_s / 1.02);
  const high = Math.max(known[known.length - 1].to_s, low * 1.05);
  const count = Math.max(6, Math.min(most, Math.ceil(Math.log(high / low) / Math.log(1.06))));
  const factor = (high / low) ** (1 / count);
  const columns = Array.from({ length: count }, (_, at) => ({
    from_s: low * factor ** at,
    to_s: low * factor ** (at + 1),
    count: 0,
  }));
  for (const gap of known) {
    const middle = Math.sqrt(Math.max(gap.from_s, low) * gap.to_s);
    const at = Math.floor(Math.log(middle / low) / Math.log(factor));
    columns[Math.max(0, Math.min(count - 1, at))].count += gap.count;
  }
  return columns;
}

/** The gaps of several attempts together. @param {Gap[][]} lists @returns {Gap[]} */
export function mergeGaps(lists) {
  /** @type {Map<number, Gap>} */
  const merged = new Map();
  for (const gap of lists.flat()) {
    const same = merged.get(gap.from_s);
    if (same) same.count += gap.count;
    else merged.set(gap.from_s, { ...gap });
  }
  return [...merged.values()].sort((a, b) => a.from_s - b.from_s);
}
