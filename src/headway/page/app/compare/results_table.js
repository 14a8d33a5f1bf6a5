/** The figures of all models in one table: filled in live, sorted by any column, best values marked. */
import { useSignal } from "@preact/signals";
import { seriesColor } from "../components/color.js";
import { quantile } from "../components/rhythm.js";
import { html } from "../html.js";
import { COLUMNS, makeRows, nextSorting, sortRows } from "./columns.js";
import { describeOverrides, splitModel } from "./experiment.js";

/** @typedef {import("./columns.js").Cell} Cell */
/** @typedef {import("./columns.js").Column} Column */
/** @typedef {import("./columns.js").Sorting} Sorting */

/** Values that are told one by one; of more, half of them are within the bar. */
const TOLD = 20;

/** @param {{groups: {index: number, name: string, color: number, copy: number, entry: import("./experiment.js").Entry, lanes: import("../streams/lane.js").Lane[]}[]}} props */
export function ResultsTable({ groups }) {
  const sorting = useSignal(/** @type {Sorting} */ (null));
  const rows = makeRows(groups.map((group) => group.lanes));
  const ordered = sortRows(
    rows,
    sorting.value,
    groups.map((group) => group.name),
  );
  const scales = Object.fromEntries(
    COLUMNS.map(({ id }) => [id, rangeOf(rows.flatMap((row) => row[id].values))]),
  );
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label="Figures"><table class="table results-table">
    <thead><tr>
      <${Head} id="model" label="Model" title="Sort by name" sorting=${sorting} />
      ${COLUMNS.map((column) => html`<${Head} key=${column.id} ...${column} isRight sorting=${sorting} />`)}
    </tr></thead>
    <tbody>${ordered.map((at) => {
      const { index, name, color, entry, copy, lanes } = groups[at];
      const [provider, model] = splitModel(entry.model);
      const own = describeOverrides(entry);
      const failed = lanes.filter((lane) => lane.status.value === "failed").length;
      return html`<tr key=${index}>
        <th scope="row" class="results-name" title=${name}><span class="row"><span class="swatch" style=${{ "--swatch": `var(${seriesColor(color)})` }} />
          <span class="truncate">${model}${copy > 1 && html` <span class="faint tiny">#${copy}</span>`}${provider && html` <span class="faint tiny">${provider}</span>`}</span>
          ${own && html`<span class="tag truncate">${own}</span>`}
          ${failed > 0 && html`<span class="tag bad">${lanes.length > 1 ? `${failed} failed` : "failed"}</span>`}</span></th>
        ${COLUMNS.map((column) => html`<${ValueCell} key=${column.id} column=${column} cell=${rows[at][column.id]} scale=${scales[column.id]} />`)}
      </tr>`;
    })}</tbody>
  </table></div>`;
}

/** @param {{id: string, label: string, title: string, isRight?: boolean, sorting: import("@preact/signals").Signal<Sorting>}} props */
function Head({ id, label, title, isRight = false, sorting }) {
  const now = sorting.value?.id === id ? sorting.value : null;
  return html`<th scope="col" class=${isRight ? "right" : ""} aria-sort=${now ? (now.isDescending ? "descending" : "ascending") : undefined}>
    <button type="button" title=${title} onClick=${() => {
      sorting.value = nextSorting(sorting.value, id);
    }}>
      ${label}<span class="sort-mark" aria-hidden="true">${now ? (now.isDescending ? "↓" : "↑") : ""}</span></button></th>`;
}

/** @param {{column: Column, cell: Cell, scale: [number, number]}} props */
function ValueCell({ column, cell, scale }) {
  const { value, values, isEstimate, isBest } = cell;
  const text = column.format(value);
  return html`<td class="right ${isBest ? "is-best" : ""} ${isEstimate ? "is-estimate" : ""}" title=${titleOf(column, cell)}>
    <span class="best-mark">${isBest && html`<span class="visually-hidden">best: </span>`}${isEstimate ? "≈ " : ""}${text}</span>
    ${
      Math.min(...values) < Math.max(...values) &&
      html`<span class="spread"><${DotStrip} values=${values} scale=${scale} />
      <span class="tiny faint">${formatRange(column, values)}</span></span>`
    }
  </td>`;
}

/** The exact values. @param {Column} column @param {Cell} cell */
function titleOf(column, { value, values, isEstimate }) {
  if (value === null) return `${column.title}: not known`;
  if (isEstimate) return `${column.title}: an estimate until the answer is complete`;
  if (values.length === 1) return String(value);
  return values.length > TOLD
    ? `Median ${value} of ${values.length} values`
    : `Median ${value} of ${values.join(", ")}`;
}

/** "0.57–0.88 ms": the unit once where it is the same. @param {Column} column @param {number[]} values */
function formatRange(column, values) {
  const [low, high] = [column.format(Math.min(...values)), column.format(Math.max(...values))];
  const unit = / \S+$/.exec(high)?.[0] ?? "";
  if (low === high) return "";
  return `${unit && low.endsWith(unit) ? low.slice(0, -unit.length) : low}–${high}`;
}

/** Each value as a dot, of many the middle half as a bar: on the scale of the column. @param {{values: number[], scale: [number, number]}} props */
function DotStrip({ values, scale: [low, high] }) {
  const width = 56;
  const at = (/** @type {number} */ value) => 4 + ((value - low) / (high - low || 1)) * (width - 8);
  const [from, to] = [quantile(values, 0.25), quantile(values, 0.75)].map(at);
  return html`<svg class="dot-strip" viewBox="0 0 ${width} 8" aria-hidden="true">
    <line x1=${at(Math.min(...values)).toFixed(1)} x2=${at(Math.max(...values)).toFixed(1)} y1="4" y2="4" />${
      values.length > TOLD
        ? html`<rect x=${from.toFixed(1)} width=${Math.max(1, to - from).toFixed(1)} y="1" height="6" rx="1" />`
        : values.map(
            (value, index) =>
              html`<circle key=${index} cx=${at(value).toFixed(1)} cy="4" r="2.5" />`,
          )
    }</svg>`;
}

/** @param {number[]} values @returns {[number, number]} */
const rangeOf = (values) => [Math.min(...values), Math.max(...values)];
