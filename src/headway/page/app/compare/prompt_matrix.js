/** Prompts by models: one figure of each answer, and the answer when it is asked for. */
import { useSignal } from "@preact/signals";
import { seriesColor } from "../components/color.js";
import { Dialog } from "../components/dialog.js";
import { html } from "../html.js";
import { COLUMNS, makeCell } from "./columns.js";
import { splitModel } from "./experiment.js";
import { LaneCard } from "./lane_card.js";

const PAGE = 100;
const COLUMN = /** @type {const} */ ([
  "time_to_first_token_s",
  "latency_s",
  "tokens_per_second",
  "output_tokens",
  "cost_usd",
]);

/** @param {{batch: import("./prompt_batch.js").PromptBatch, groups: {index: number, name: string, color: number}[]}} props */
export function PromptMatrix({ batch, groups }) {
  const columnId = useSignal(/** @type {string} */ ("latency_s"));
  const open = useSignal(/** @type {{row: number, group: number} | null} */ (null));
  const shown = useSignal(PAGE);
  const column = /** @type {import("./columns.js").Column} */ (
    COLUMNS.find(({ id }) => id === columnId.value)
  );
  const opened = open.value && batch.rows[open.value.row];
  return html`<section class="card" aria-label="Answers by prompt">
    <div class="card-head"><h2>Every answer</h2>
      <label class="row small quiet">Figure <select class="select" value=${columnId} onChange=${(
        /** @type {Event} */ event,
      ) => {
        columnId.value = /** @type {HTMLSelectElement} */ (event.target).value;
      }}>
        ${COLUMN.map((id) => html`<option key=${id} value=${id}>${COLUMNS.find((one) => one.id === id)?.label}</option>`)}</select></label></div>
    <div class="table-scroll" tabindex="0" role="region" aria-label="Prompts by models"><table class="table matrix">
      <thead><tr><th scope="col" class="right">#</th><th scope="col">Prompt</th>${groups.map(
        (group) => html`<th key=${group.index} scope="col" class="right" title=${group.name}>
        <span class="row matrix-head"><span class="swatch" style=${{ "--swatch": `var(${seriesColor(group.color)})` }} /><span class="truncate">${splitModel(group.name)[1]}</span></span></th>`,
      )}</tr></thead>
      <tbody>${batch.rows.slice(0, shown.value).map(
        (row, at) => html`<tr key=${at}>
        <td class="right faint">${at + 1}</td><th scope="row" class="matrix-prompt" title=${row.title}><span class="truncate">${row.title}</span></th>
        ${groups.map(
          (
            group,
          ) => html`<td key=${group.index} class="right"><${MatrixCell} lanes=${row.session?.groups[group.index].lanes ?? []} column=${column}
          label=${`Answer of ${group.name} to prompt ${at + 1}`} onClick=${() => {
            open.value = { row: at, group: group.index };
          }} /></td>`,
        )}
      </tr>`,
      )}</tbody></table></div>
    ${
      batch.rows.length > shown.value &&
      html`<p class="matrix-more"><button type="button" class="button plain" onClick=${() => {
        shown.value += PAGE;
      }}>
      Show ${Math.min(PAGE, batch.rows.length - shown.value)} more of ${batch.rows.length}</button></p>`
    }
    ${
      open.value &&
      opened?.session &&
      html`<${Dialog} title=${opened.title} class="matrix-dialog" onClose=${() => {
        open.value = null;
      }}>
      <div class="dialog-body"><${LaneCard} session=${opened.session} group=${opened.session.groups[open.value.group]} lanes=${opened.session.groups[open.value.group].lanes}
        name=${opened.session.groups[open.value.group].name} color=${open.value.group} isHidden=${false} isExpanded base=${null} /></div></${Dialog}>`
    }
  </section>`;
}

/** @param {{lanes: import("../streams/lane.js").Lane[], column: import("./columns.js").Column, label: string, onClick: () => void}} props */
function MatrixCell({ lanes, column, label, onClick }) {
  if (!lanes.length) return html`<span class="faint">–</span>`;
  const isOver = lanes.every((lane) => lane.isOver);
  const bad = lanes.find((lane) => lane.status.value === "failed");
  const text = bad
    ? "failed"
    : isOver
      ? column.format(makeCell(column, lanes).value)
      : lanes.some((lane) => lane.arrivals.length)
        ? "…"
        : "·";
  return html`<button type="button" class="matrix-cell" data-status=${bad ? "failed" : isOver ? "done" : "running"} aria-label=${`${label}: ${text}`}
    title=${bad?.error?.message} onClick=${onClick}>${text}</button>`;
}
