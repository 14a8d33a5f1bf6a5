/** The columns of the table: what each shows, how wide it is, and which give way first. */
import { formatCount, formatSeconds, formatSpeed, formatUsd, isNumber } from "../format.js";
import { html } from "../html.js";
import { LatencyBar } from "./latency_bar.js";
import { previewOf } from "./previews.js";
import { columnChoices } from "./state.js";
import { StatusMark } from "./status_mark.js";
import { formatMoment } from "./time_range.js";

/** @typedef {import("./types.js").Row} Row */
/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} label
 * @property {number} width pixels; the least of one that grows
 * @property {number} [grows] its share of the room that is left
 * @property {boolean} [isNumber]
 * @property {boolean} [isHidden] unless the user shows it
 * @property {number} rank those with the greatest give way first
 * @property {(row: Row, scale: number) => unknown} render
 */

/** @param {string | null} text */
const word = (text) =>
  text
    ? html`<span class="truncate" title=${text}>${text}</span>`
    : html`<span class="faint">–</span>`;

/** @type {Column[]} */
export const COLUMNS = [
  {
    id: "time",
    label: "Time",
    width: 94,
    rank: 0,
    render: (row) =>
      html`<time class="number" dateTime=${row.time} title=${row.time}>${formatMoment(row.time)}</time>`,
  },
  {
    id: "status",
    label: "Status",
    width: 104,
    grows: 0.3,
    rank: 1,
    render: (row) => html`<${StatusMark} row=${row} />`,
  },
  { id: "model", label: "Model", width: 150, grows: 1, rank: 2, render: renderModel },
  { id: "prompt", label: "Prompt", width: 180, grows: 1.6, rank: 5, render: renderPrompt },
  {
    id: "latency",
    label: "Latency",
    width: 116,
    rank: 3,
    render: (row, scale) => html`<${LatencyBar} row=${row} scale=${scale} />`,
  },
  {
    id: "ttft",
    label: "First token",
    width: 92,
    isNumber: true,
    rank: 10,
    render: (row) => formatSeconds(row.time_to_first_token_s),
  },
  {
    id: "input",
    label: "Input",
    width: 58,
    isNumber: true,
    rank: 7,
    render: (row) => formatCount(row.input_tokens),
  },
  {
    id: "output",
    label: "Output",
    width: 58,
    isNumber: true,
    rank: 6,
    render: (row) => formatCount(row.output_tokens),
  },
  {
    id: "speed",
    label: "Speed",
    width: 84,
    isNumber: true,
    rank: 8,
    render: (row) => formatSpeed(row.tokens_per_second),
  },
  { id: "cost", label: "Cost", width: 88, isNumber: true, rank: 4, render: renderCost },
  { id: "user", label: "User", width: 96, rank: 11, render: (row) => word(row.user) },
  { id: "session", label: "Session", width: 104, rank: 12, render: (row) => word(row.session) },
  { id: "tags", label: "Tags", width: 156, rank: 9, render: renderTags },
  { id: "key", label: "Key", width: 92, rank: 13, isHidden: true, render: (row) => word(row.key) },
  {
    id: "route",
    label: "Route",
    width: 110,
    rank: 14,
    isHidden: true,
    render: (row) => word(row.route_name),
  },
  {
    id: "attempts",
    label: "Attempts",
    width: 80,
    isNumber: true,
    rank: 15,
    isHidden: true,
    render: (row) => formatCount(row.attempts),
  },
  {
    id: "cache",
    label: "Cache",
    width: 88,
    rank: 16,
    isHidden: true,
    render: (row) => word(row.cache),
  },
  {
    id: "dialect",
    label: "Wire format",
    width: 140,
    rank: 17,
    isHidden: true,
    render: (row) => word(row.dialect),
  },
];

/** Pixels beside and between the cells, as the style sheet has them. */
const GAP = 12;
const EDGES = 50;

/** Whether the user wants a column. @param {Column} column */
export const isWanted = (column) => columnChoices.value[column.id] ?? !column.isHidden;

/**
 * The wanted columns that have room, in their order.
 * @param {number} width pixels
 * @param {boolean} hasPrompts whether any prompt is known
 * @returns {Column[]}
 */
export function fitColumns(width, hasPrompts) {
  const wanted = COLUMNS.filter((one) => isWanted(one) && (hasPrompts || one.id !== "prompt"));
  const kept = new Set();
  let left = width - EDGES;
  for (const column of [...wanted].sort((a, b) => a.rank - b.rank)) {
    if (left < column.width) break;
    left -= column.width + GAP;
    kept.add(column);
  }
  return wanted.filter((column) => kept.has(column));
}

/** @param {Column[]} columns */
export function templateOf(columns) {
  const hasGrowing = columns.some((column) => column.grows);
  return columns
    .map((column, at) =>
      column.grows || (!hasGrowing && at === columns.length - 1)
        ? `minmax(${column.width}px, ${column.grows ?? 1}fr)`
        : `${column.width}px`,
    )
    .join(" ");
}

/** @param {Row} row */
function renderModel(row) {
  return html`<span class="truncate" title=${`${row.provider ?? ""} ${row.model ?? ""}${row.deployment ? ` (${row.deployment})` : ""}`}>
      <span class="log-model">${row.model ?? "–"}</span>${row.provider && html` <span class="faint">${row.provider}</span>`}</span>
    ${row.attempts > 1 && html`<span class="tag warn" title=${`${row.attempts} attempts`}>×${row.attempts}</span>`}
    ${row.cache === "hit" && html`<span class="tag good">cache</span>`}`;
}

/** @param {Row} row */
function renderCost(row) {
  if (!isNumber(row.cost_usd)) return html`<span class="faint">–</span>`;
  const isGuess = row.cost_confidence === "estimated";
  const title = `$${row.cost_usd_exact}, from tokens that were ${row.cost_confidence ?? "unknown"}`;
  return html`<span title=${title}>${isGuess ? "≈" : ""}${formatUsd(row.cost_usd)}</span>`;
}

/** @param {Row} row */
function renderPrompt(row) {
  const text = previewOf(row);
  return html`<span class="truncate quiet" title=${text}>${text}</span>`;
}

/** @param {Row} row */
function renderTags(row) {
  if (!row.tags.length) return html`<span class="faint">–</span>`;
  return html`<span class="log-tags" title=${row.tags.join(", ")}>${row.tags.slice(0, 3).map((tag) => html`<span key=${tag} class="tag">${tag}</span>`)}</span>`;
}
