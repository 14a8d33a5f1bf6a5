/** Numbers and times for people. None of these guesses: null and undefined become a dash. */

const DASH = "–";
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const brief = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** @param {number | null | undefined} value @returns {value is number} */
export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** @param {number | null | undefined} value */
export const formatCount = (value) => (isNumber(value) ? whole.format(value) : DASH);

/** 12,345 as 12.3K. @param {number | null | undefined} value */
export const formatBrief = (value) => (isNumber(value) ? brief.format(value) : DASH);

/**
 * US dollars. An amount that is not zero never looks like zero: below a cent it has three
 * significant digits.
 * @param {number | null | undefined} value
 */
export function formatUsd(value) {
  if (!isNumber(value)) return DASH;
  if (value === 0) return "$0";
  const size = Math.abs(value);
  if (size >= 1000) return `$${whole.format(value)}`;
  if (size >= 1) return `$${value.toFixed(2)}`;
  const digits = Math.min(12, Math.max(2, 2 - Math.floor(Math.log10(size))));
  const text = size >= 0.01 ? value.toFixed(Math.min(digits, 4)) : value.toFixed(digits);
  return `$${text.replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

/** @param {number | null | undefined} value seconds */
export function formatSeconds(value) {
  if (!isNumber(value)) return DASH;
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  if (size < 0.0001) return `${(value * 1e6).toFixed(0)} µs`;
  if (size < 0.01) return `${(value * 1e3).toFixed(2)} ms`;
  if (size < 0.1) return `${(value * 1e3).toFixed(1)} ms`;
  if (size < 1) return `${(value * 1e3).toFixed(0)} ms`;
  if (size < 10) return `${value.toFixed(2)} s`;
  if (size < 120) return `${value.toFixed(1)} s`;
  if (size < 7200) return `${Math.floor(value / 60)} min ${Math.floor(value % 60)} s`;
  return `${whole.format(Math.floor(value / 3600))} h ${Math.floor((value % 3600) / 60)} min`;
}

/** @param {number | null | undefined} value tokens a second */
export const formatSpeed = (value) =>
  isNumber(value) ? `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} tok/s` : DASH;

/** @param {number | null | undefined} value 0 to 1 */
export const formatShare = (value) =>
  isNumber(value) ? `${(value * 100).toFixed(value && Math.abs(value) < 0.1 ? 1 : 0)}%` : DASH;

/** @param {string | number | Date} time */
export function formatTime(time) {
  const date = new Date(time);
  const options = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const clock = date.toLocaleTimeString("en-GB", options);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday
    ? clock
    : `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${clock}`;
}

/** @param {string | number | Date} time */
export function formatAge(time) {
  const seconds = (Date.now() - new Date(time).getTime()) / 1000;
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** The model's own name, without its provider. @param {string} id */
export const shortModel = (id) => id.slice(id.indexOf("/") + 1);
