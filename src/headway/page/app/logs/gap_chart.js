/** How long the gaps between events were: a histogram on a logarithmic scale. */
import { formatCount, formatSeconds } from "../format.js";
import { html } from "../html.js";
import { mergeGaps, toColumns } from "./gaps.js";

/** @param {{gaps: import("./types.js").Gap[][]}} props of each attempt */
export function GapChart({ gaps }) {
  const columns = toColumns(mergeGaps(gaps));
  if (!columns.length)
    return html`<p class="faint small">There were no gaps to measure: the answer came in one piece, or not at all.</p>`;
  const most = Math.max(...columns.map((column) => column.count));
  const total = columns.reduce((sum, column) => sum + column.count, 0);
  const ends = [
    columns[0].from_s,
    Math.sqrt(columns[0].from_s * columns[columns.length - 1].to_s),
    columns[columns.length - 1].to_s,
  ];
  return html`<figure class="gap-chart">
    <div class="gap-columns" role="img" aria-label=${`${formatCount(total)} gaps, from ${formatSeconds(ends[0])} to ${formatSeconds(ends[2])}`}>
      ${columns.map(
        (
          column,
        ) => html`<span key=${column.from_s} class="gap-column" title=${`${formatCount(column.count)} from ${formatSeconds(column.from_s)} to ${formatSeconds(column.to_s)}`}>
        ${column.count > 0 && html`<span style=${{ height: `${Math.max(3, (column.count / most) * 100)}%` }} />`}</span>`,
      )}
    </div>
    <figcaption class="row between tiny faint number">${ends.map((end) => html`<span key=${end}>${formatSeconds(end)}</span>`)}</figcaption>
  </figure>`;
}
