/** Ranges of time in the address: an age (`since=24h`), or exact times. */

export const PRESETS = [
  { value: "15m", label: "Last 15 minutes" },
  { value: "1h", label: "Last hour" },
  { value: "6h", label: "Last 6 hours" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
  { value: "30d", label: "Last 30 days" },
  { value: "", label: "All time" },
];
const AGE = /^(\d+)([smhdw])$/;
const NAMES = /** @type {Record<string, string>} */ ({
  s: "second",
  m: "minute",
  h: "hour",
  d: "day",
  w: "week",
});

/** @param {string} text an ISO time, or Unix seconds @returns {Date} */
export const readTime = (text) =>
  new Date(/^\d+(?:\.\d+)?$/.test(text) && text.length > 8 ? Number(text) * 1000 : text);

/** @param {string} text */
function describeTime(text) {
  const date = readTime(text);
  if (Number.isNaN(date.getTime())) return text;
  const isThisYear = date.getFullYear() === new Date().getFullYear();
  const day = date.toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: isThisYear ? undefined : "numeric",
  });
  return `${day} ${date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
}

/** @param {URLSearchParams} query */
export function describeRange(query) {
  const since = query.get("since") ?? "";
  const until = query.get("until") ?? "";
  if (!until) {
    const preset = PRESETS.find((one) => one.value === since);
    if (preset) return preset.label;
    const age = AGE.exec(since);
    if (age) return `Last ${age[1]} ${NAMES[age[2]]}${age[1] === "1" ? "" : "s"}`;
    return `Since ${describeTime(since)}`;
  }
  return since
    ? `${describeTime(since)} to ${describeTime(until)}`
    : `Until ${describeTime(until)}`;
}

/** Whether calls that end now are in the range. @param {URLSearchParams} query */
export function includesNow(query) {
  const until = query.get("until");
  return !until || readTime(until).getTime() > Date.now();
}

/** For an input of type datetime-local. @param {string | null} text */
export function toLocalInput(text) {
  if (!text || AGE.test(text)) return "";
  const date = readTime(text);
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {string} text of an input of type datetime-local */
export const fromLocalInput = (text) =>
  text ? new Date(text).toISOString().replace(".000Z", "Z") : "";

/** The time of today, or day and time. @param {string} time */
export function formatMoment(time) {
  const date = new Date(time);
  if (date.toDateString() === new Date().toDateString()) return date.toLocaleTimeString("en-GB");
  const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return `${day} ${date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
}
