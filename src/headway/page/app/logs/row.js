/** One call in the table. */
import { formatCount, formatSeconds, formatUsd, isNumber } from "../format.js";
import { html } from "../html.js";
import { memo } from "../memo.js";
import { previewOf } from "./previews.js";
import { callHref, chosen, toggleChosen } from "./state.js";
import { StatusMark } from "./status_mark.js";
import { formatMoment } from "./time_range.js";

/**
 * @typedef {object} RowProps
 * @property {import("./types.js").Row} row
 * @property {number} index
 * @property {number} top pixels
 * @property {number} height
 * @property {import("./columns.js").Column[]} columns
 * @property {number} scale
 * @property {boolean} hasPrompt whether there is a line for it
 * @property {boolean} isActive
 * @property {boolean} isOpen
 * @property {boolean} isFresh
 */

/** @param {RowProps} props */
const classOf = ({ isActive, isOpen, isFresh }) =>
  `call-row ${isActive ? "is-active" : ""} ${isOpen ? "is-open" : ""} ${isFresh ? "is-fresh" : ""}`;

/** @param {number} top @param {number} height */
const placeAt = (top, height) => ({ transform: `translateY(${top}px)`, height: `${height}px` });

/** Drawn again only when it changes: scrolling moves most rows as they are. */
export const CallRow = memo(drawRow);

/** @param {RowProps} props */
function drawRow(props) {
  const { row, index, top, height, columns, scale } = props;
  const isChosen = chosen.value.includes(row.call_id);
  return html`<div id=${`call-${row.call_id}`} class=${classOf(props)} role="row" style=${placeAt(top, height)} data-call=${row.call_id}
    aria-rowindex=${index + 2} aria-selected=${String(props.isOpen)}>
    <span role="gridcell" class="call-choose ${isChosen ? "is-chosen" : ""}"><input type="checkbox" tabindex="-1" checked=${isChosen}
      aria-label="Choose to compare" title="Choose two calls to compare their answers (X)" onChange=${() => toggleChosen(row.call_id)} /></span>
    ${columns.map(
      (column) =>
        html`<span key=${column.id} role="gridcell" class="call-cell ${column.isNumber ? "right number" : ""}">${
          column.id === "time"
            ? html`<a class="call-link" href=${callHref(row.call_id)} tabindex="-1" onClick=${openHere}>${column.render(row, scale)}</a>`
            : column.render(row, scale)
        }</span>`,
    )}
  </div>`;
}

/** A plain click is the row's own; the link is for a new tab. @param {MouseEvent} event */
function openHere(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  /** @type {HTMLElement | null} */ (
    /** @type {HTMLElement} */ (event.currentTarget).closest("[data-call]")
  )?.click();
}

/** Two lines, for a narrow window. */
export const CompactRow = memo(drawCompactRow);

/** @param {RowProps} props */
function drawCompactRow(props) {
  const { row, index, top, height, hasPrompt } = props;
  const tokens = isNumber(row.total_tokens)
    ? `${formatCount(row.input_tokens)} → ${formatCount(row.output_tokens)} tok`
    : "";
  return html`<div id=${`call-${row.call_id}`} class=${classOf(props)} role="row" style=${placeAt(top, height)} data-call=${row.call_id}
    aria-rowindex=${index + 1} aria-selected=${String(props.isOpen)}>
    <div role="gridcell" class="call-lines">
      <div class="row between"><span class="truncate"><span class="log-model">${row.model ?? "–"}</span>
        ${row.provider && html` <span class="faint">${row.provider}</span>`}</span>
        <span class="number">${formatUsd(row.cost_usd)}</span></div>
      <div class="row between small quiet"><span class="row"><${StatusMark} row=${row} /><span class="number faint">${formatMoment(row.time)}</span></span>
        <span class="number">${tokens && `${tokens} · `}${formatSeconds(row.latency_s)}</span></div>
      ${hasPrompt && html`<p class="truncate small quiet">${previewOf(row) || " "}</p>`}
    </div>
  </div>`;
}

/** A row that is on its way. @param {{top: number, height: number}} props */
export function BlankRow({ top, height }) {
  return html`<div class="call-row is-blank" role="row" style=${placeAt(top, height)} aria-busy="true"><span role="gridcell" class="skeleton" /></div>`;
}
