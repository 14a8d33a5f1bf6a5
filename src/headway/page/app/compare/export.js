/** A comparison as CSV, JSON, and as commands. Values without DOM. */
import { COLUMNS } from "./columns.js";
import { messagesOf, requestBody, writeEntry, writeExperiment } from "./experiment.js";

/** @typedef {import("./experiment.js").Experiment} Experiment */
/** @typedef {import("../streams/lane.js").Lane} Lane */
/** @typedef {{name: string, lanes: Lane[], entry: import("./experiment.js").Entry}} Group */
/** @typedef {{title: string, groups: Group[]}} Part the answers to one prompt */

/** A cell that a spreadsheet would take for a formula begins with an apostrophe. @param {unknown} value */
function writeCell(value) {
  if (value === null || value === undefined) return "";
  const text =
    typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {unknown[][]} rows */
export const writeCsv = (rows) =>
  `${rows.map((row) => row.map(writeCell).join(",")).join("\r\n")}\r\n`;

/** One row for each answer, with the gateway's own figures. @param {Part[]} parts */
export function exportCsv(parts) {
  const head = [
    "prompt",
    "model",
    "run",
    "status",
    ...COLUMNS.map(({ id }) => id),
    "finish_reason",
    "record",
    "error",
    "answer",
  ];
  const rows = parts.flatMap(({ title, groups }) =>
    groups.flatMap(({ name, lanes }) =>
      lanes.map((lane) => [
        title,
        name,
        lane.run + 1,
        lane.status.value,
        ...COLUMNS.map((column) => (lane.metrics ? column.read(lane.metrics) : null)),
        lane.finishReason,
        lane.id,
        lane.error?.message,
        lane.text,
      ]),
    ),
  );
  return writeCsv([head, ...rows]);
}

/** @param {Experiment} experiment @param {Part[]} parts @param {Date} date */
export function exportJson(experiment, parts, date) {
  const answers = parts.flatMap(({ title, groups }) =>
    groups.flatMap(({ entry, lanes }) =>
      lanes.map((lane) => ({
        prompt: title,
        model: entry.model,
        parameters: entry.parameters,
        run: lane.run + 1,
        status: lane.status.value,
        provider: lane.provider,
        served_model: lane.servedModel,
        record: lane.id,
        finish_reason: lane.finishReason,
        answer: lane.text,
        reasoning: lane.reasoning || null,
        tool_calls: lane.toolCalls,
        error: lane.error,
        usage: lane.usage,
        metrics: lane.metrics,
        cost: lane.cost,
        cost_usd_exact: lane.costExact,
        transformations: lane.transformations,
        arrivals_ms: lane.arrivals,
        sizes: lane.sizes,
      })),
    ),
  );
  return JSON.stringify(
    { date: date.toISOString(), experiment: writeExperiment(experiment), answers },
    null,
    2,
  );
}

/** @param {string} text */
const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** @param {Experiment} experiment @param {string} base the gateway's address, with a slash at its end */
export function curlOf(experiment, base) {
  const body = JSON.stringify(requestBody(experiment), null, 2);
  return `curl -N ${base}api/compare \\\n  -H 'Content-Type: application/json' \\\n  -d ${quote(body)}`;
}

/**
 * The command line takes a prompt and no conversation: null for one.
 * @param {Experiment} experiment
 * @returns {string | null}
 */
export function commandOf(experiment) {
  if (experiment.messages.length) return null;
  const { temperature, max_tokens, ...others } = experiment.parameters;
  const parts = experiment.entries.map((entry) => {
    const model = writeEntry(entry);
    return `-m ${quote(typeof model === "string" ? model : JSON.stringify(model))}`;
  });
  if (experiment.system.trim()) parts.push(`-s ${quote(experiment.system)}`);
  if (temperature !== undefined) parts.push(`--temperature ${temperature}`);
  if (max_tokens !== undefined) parts.push(`--max-tokens ${max_tokens}`);
  for (const [name, value] of Object.entries(others))
    parts.push(`-p ${quote(`${name}=${JSON.stringify(value)}`)}`);
  if (experiment.runs > 1) parts.push(`-n ${experiment.runs}`);
  return `headway compare ${[...parts, quote(experiment.prompt)].join(" ")}`;
}

/** A name for files: the date and time. @param {Date} date */
export const fileStem = (date) => `compare-${date.toISOString().slice(0, 19).replaceAll(":", "-")}`;

/** The question whole, for files. @param {Experiment} experiment */
export const questionOf = (experiment) => {
  const content = messagesOf(experiment).at(-1)?.content;
  return typeof content === "string" ? content : JSON.stringify(content ?? "");
};
