/** Ranges of time and the steps that they are shown in. All limits are in UTC, as the ledger sums. */

/** @typedef {"minute" | "five_minutes" | "hour" | "day" | "month"} Step */
/** @typedef {{since: Date, until: Date | null, step: Step}} Range */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Milliseconds of the steps that have always the same length. */
const SIZES = { minute: MINUTE, five_minutes: 5 * MINUTE, hour: HOUR, day: DAY };
const MAX_HOURS = 8 * 24;
const MAX_DAYS = 190;

export const PRESETS = [
  { value: "1h", label: "1 h", step: /** @type {Step} */ ("minute"), count: 60 },
  { value: "24h", label: "24 h", step: /** @type {Step} */ ("hour"), count: 24 },
  { value: "7d", label: "7 d", step: /** @type {Step} */ ("hour"), count: 7 * 24 },
  { value: "30d", label: "30 d", step: /** @type {Step} */ ("day"), count: 30 },
  { value: "90d", label: "90 d", step: /** @type {Step} */ ("day"), count: 90 },
  { value: "12m", label: "12 mo", step: /** @type {Step} */ ("month"), count: 12 },
];
export const DEFAULT_PRESET = "7d";

/**
 * The range that an address names: a preset up to now, or two dates.
 * @param {URLSearchParams} query
 * @param {Date} now
 * @returns {Range}
 */
export function readRange(query, now) {
  const since = readDate(query.get("since"));
  if (since) {
    const until = readDate(query.get("until"));
    return { since, until, step: stepFor(since, until ?? now) };
  }
  const name = query.get("range") ?? DEFAULT_PRESET;
  const preset = PRESETS.find((one) => one.value === name) ?? PRESETS[2];
  return {
    since: goBack(floorTo(now, preset.step), preset.step, preset.count - 1),
    until: null,
    step: preset.step,
  };
}

/** @param {string | null} text */
function readDate(text) {
  const date = text ? new Date(text) : null;
  return date && !Number.isNaN(date.getTime()) ? date : null;
}

/** @param {Date} since @param {Date} until @returns {Step} */
export function stepFor(since, until) {
  const span = until.getTime() - since.getTime();
  if (span <= 2 * HOUR) return "minute";
  if (span <= 6 * HOUR) return "five_minutes";
  return span <= MAX_HOURS * HOUR ? "hour" : span <= MAX_DAYS * DAY ? "day" : "month";
}

/** The beginning of the step in which `date` is. @param {Date} date @param {Step} step */
export function floorTo(date, step) {
  if (step === "month") return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1));
  return new Date(Math.floor(date.getTime() / SIZES[step]) * SIZES[step]);
}

/** `count` steps earlier; later with a negative count. @param {Date} date @param {Step} step @param {number} count */
export function goBack(date, step, count) {
  if (step === "month")
    return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - count, 1));
  return new Date(date.getTime() - count * SIZES[step]);
}

/** The beginnings of all steps of a range, in Unix seconds. @param {Range} range @param {Date} now */
export function listSteps({ since, until, step }, now) {
  const steps = [];
  const end = until ?? now;
  for (let at = floorTo(since, step); at < end; at = goBack(at, step, -1))
    steps.push(at.getTime() / 1000);
  return steps;
}
