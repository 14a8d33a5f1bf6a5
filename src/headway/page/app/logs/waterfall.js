/** The times of a call as segments to scale. */

/** @typedef {import("./types.js").Details} Details */
/**
 * @typedef {object} Segment
 * @property {string} kind of `SEGMENTS`
 * @property {number} start seconds since the call started
 * @property {number} end
 */

export const SEGMENTS = /** @type {Record<string, {label: string, title: string}>} */ ({
  ours: {
    label: "Gateway",
    title: "The gateway's own work, drawn at the start although some of it comes later",
  },
  send: {
    label: "Before sending",
    title: "Credentials, the delay before another attempt, and all else that was waited for",
  },
  connect: {
    label: "Connection",
    title: "Waiting for a connection, opening it, and sending the request",
  },
  wait: { label: "First byte", title: "Waiting for the headers of the provider's response" },
  first_token: { label: "First token", title: "From the headers to the first event with content" },
  stream: {
    label: "Streaming",
    title: "From the first event with content to the last byte of the response",
  },
  finish: { label: "End", title: "Until the client had the end of the reply" },
});

/** Below this, what the gateway left of a segment is not drawn. */
const SHORTEST_S = 5e-6;

/** The segments of each attempt, by its number. @param {Details} call @returns {Map<number, Segment[]>} */
export function segmentsByAttempt(call) {
  /** @type {Map<number, Segment[]>} */
  const found = new Map();
  for (const span of call.spans) {
    const segments = found.get(span.attempt) ?? [];
    found.set(span.attempt, segments);
    if (span.name === "send") segments.push(...splitSending(call, span));
    else segments.push({ kind: span.name, start: span.start_s, end: span.end_s });
  }
  return found;
}

/** @param {Details} call @param {import("./types.js").Span} span @returns {Segment[]} */
function splitSending(call, span) {
  const attempt = call.attempt_details.find((one) => one.number === span.attempt);
  const own = attempt?.record.gateway_overhead_s ?? 0;
  const border = Math.min(span.end_s, span.start_s + own);
  /** @type {Segment[]} */
  const parts = [];
  if (border - span.start_s > 0) parts.push({ kind: "ours", start: span.start_s, end: border });
  if (span.end_s - border > SHORTEST_S)
    parts.push({ kind: "send", start: border, end: span.end_s });
  return parts;
}

/** Seconds of the whole drawing. @param {Details} call */
export const lengthOf = (call) =>
  Math.max(call.duration_s, ...call.spans.map((span) => span.end_s), 1e-6);

/** About `count` round values from 0 to `length`. @param {number} length */
export function ticksOf(length, count = 5) {
  const raw = length / count;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * size).find((one) => one >= raw) ?? raw;
  return Array.from({ length: Math.floor(length / step + 1e-9) + 1 }, (_, at) => at * step);
}

const ROLES = /** @type {Record<string, string>} */ ({
  first: "First attempt",
  retry: "Tried again, as the attempt before failed",
  fallback: "Next target, as the one before failed",
  hedge: "Beside a slow attempt: the first to answer wins",
  shadow: "A copy, whose answer no client sees",
});

/** Why an attempt was made. @param {import("./types.js").Attempt} attempt */
export function explainAttempt(attempt) {
  if (attempt.number === 0)
    return attempt.outcome === "refused" ? "Refused before any attempt" : "Answered from the cache";
  const role = ROLES[attempt.role] ?? attempt.role;
  if (!attempt.route_name) return role;
  return `${role} · route ${attempt.route_name}${attempt.decision ? ` (${attempt.decision.strategy})` : ""}`;
}
