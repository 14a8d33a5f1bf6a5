/** Ranges of time and the steps that they are shown in. All limits are in UTC, as the ledger sums. */

/** @typedef {"hour" | "day" | "month"} Step */
/** @typedef {{since: Date, until: Date | null, step: Step}} Range */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MAX_HOURS = 8 * 24;
const MAX_DAYS = 190;

export const PRESETS = [
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
  const preset = PRESETS.find((one) => one.value === name) ?? PRESETS[1];
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
  return span <= MAX_HOURS * HOUR ? "hour" : span <= MAX_DAYS * DAY ? "day" : "month";
}

/** The beginning of the hour, day or month of `date`. @param {Date} date @param {Step} step */
export function floorTo(date, step) {
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (step === "month") return new Date(Date.UTC(year, month, 1));
  if (step === "day") return new Date(Date.UTC(year, month, day));
  return new Date(Math.floor(date.getTime() / HOUR) * HOUR);
}

/** `count` steps earlier; later with a negative count. @param {Date} date @param {Step} step @param {number} count */
export function goBack(date, step, count) {
  if (step === "month")
    return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - count, 1));
  return new Date(date.getTime() - count * (step === "day" ? DAY : HOUR));
}

/** The beginnings of all steps of a range, in Unix seconds. @param {Range} range @param {Date} now */
export function listSteps({ since, until, step }, now) {
  const steps = [];
  const end = until ?? now;
  for (let at = floorTo(since, step); at < end; at = goBack(at, step, -1))
    steps.push(at.getTime() / 1000);
  return steps;
}
