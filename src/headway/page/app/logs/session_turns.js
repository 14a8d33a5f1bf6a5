/** The calls of a session as turns of an agent, on a line of time without the long pauses. */

/** @typedef {import("./types.js").Row} Row */
/**
 * @typedef {object} Turn calls until one that asks for no more tools
 * @property {Row[]} calls in the order of their end
 * @property {number} tools calls that ended with a request for tools
 */
/** @typedef {{row: Row, start: number, end: number, lane: string}} Bar seconds on the line */
/** @typedef {{bars: Bar[], lanes: string[], length: number, cuts: {at: number, seconds: number}[]}} Timeline */

const TOOL_REASONS = new Set(["tool_calls", "function_call", "tool_use"]);
/** A pause that is longer is cut to this. */
const PAUSE_S = 4;
const AGENT_TAG = /^(?:agent|subagent|sub-agent):(.+)$/;

/** @param {Row} row */
export const asksForTools = (row) => TOOL_REASONS.has(row.finish_reason ?? "");

/** The agent that made a call, by its tag. @param {Row} row @returns {string | null} */
export function agentOf(row) {
  for (const tag of row.tags) {
    const found = AGENT_TAG.exec(tag);
    if (found) return found[1];
  }
  return null;
}

/** The line on which a call is drawn. @param {Row} row */
const laneOf = (row) => agentOf(row) ?? row.model ?? row.dialect;

/** @param {Row[]} rows the oldest first @returns {Turn[]} */
export function turnsOf(rows) {
  const main = rows.length ? agentOf(rows[0]) : null;
  /** @type {Turn[]} */
  const turns = [];
  /** @type {Turn | null} */
  let open = null;
  for (const row of rows) {
    if (!open) {
      open = { calls: [], tools: 0 };
      turns.push(open);
    }
    open.calls.push(row);
    if (asksForTools(row)) open.tools += 1;
    // A sub-agent's answer does not end the turn of the one that called it.
    else if (agentOf(row) === main) open = null;
  }
  return turns;
}

/** @param {Row[]} rows @returns {Timeline} */
export function timelineOf(rows) {
  const bars = rows
    .map((row) => ({
      row,
      start: new Date(row.started).getTime() / 1000,
      end: row.timestamp,
      lane: laneOf(row),
    }))
    .sort((a, b) => a.start - b.start);
  /** @type {Timeline["cuts"]} */
  const cuts = [];
  let shift = bars[0]?.start ?? 0;
  let reached = shift;
  for (const bar of bars) {
    const pause = bar.start - reached;
    if (pause > PAUSE_S) {
      cuts.push({ at: reached - shift + PAUSE_S / 2, seconds: pause });
      shift += pause - PAUSE_S;
    }
    reached = Math.max(reached, bar.end);
    bar.start -= shift;
    bar.end -= shift;
  }
  const length = Math.max(0.001, ...bars.map((bar) => bar.end));
  return { bars, lanes: [...new Set(rows.map(laneOf))], length, cuts };
}
