/** Many prompts from a file, asked of all models: choose, run, look at every answer. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { nameEntries } from "./experiment.js";
import { NumberField } from "./number_field.js";
import { batch, MAX_AT_ONCE, PromptBatch } from "./prompt_batch.js";
import { PromptMatrix } from "./prompt_matrix.js";
import { readPrompts } from "./prompts_file.js";
import { ResultsTable } from "./results_table.js";
import { experiment } from "./state.js";

const REFRESH_MS = 500;

export function ManyPrompts() {
  const source = useSignal({ text: "", name: "" });
  const atOnce = useSignal(2);
  const { prompts, format, problem } = readPrompts(source.value.text, source.value.name);
  const now = batch.value;
  const isRunning = now?.isRunning.value ?? false;
  const canRun = prompts.length > 0 && experiment.value.entries.length > 0 && !isRunning;
  const run = () => {
    batch.value = new PromptBatch(experiment.value, prompts, atOnce.value);
    batch.value.run();
  };
  /** @param {File | undefined} file */
  const take = async (file) => {
    if (file) source.value = { text: await file.text(), name: file.name };
  };
  const calls = prompts.length * experiment.value.entries.length * experiment.value.runs;
  return html`<section class="card many-prompts" aria-label="Prompts"
      onDragOver=${(/** @type {DragEvent} */ event) => event.preventDefault()}
      onDrop=${(/** @type {DragEvent} */ event) => {
        event.preventDefault();
        take(event.dataTransfer?.files[0]);
      }}>
      <div class="many-source">
        <textarea class="textarea mono" rows="5" aria-label="Prompts" spellcheck=${false} value=${source.value.text}
          placeholder=${'Paste prompts or drop a file: one prompt a line (or separated by blank lines),\nJSON lines with "prompt" or "messages", or CSV with a column "prompt"'}
          onInput=${(/** @type {Event} */ event) => {
            source.value = {
              text: /** @type {HTMLTextAreaElement} */ (event.target).value,
              name: "",
            };
          }} />
      </div>
      <div class="asking-foot">
        <div class="asking-options">
          <label class="button compact file-button"><${Icon} name="docs" />Choose a file
            <input type="file" class="visually-hidden" accept=".txt,.md,.jsonl,.ndjson,.json,.csv,.tsv,text/*"
              onChange=${(/** @type {Event} */ event) => take(/** @type {HTMLInputElement} */ (event.target).files?.[0])} /></label>
          <${NumberField} label="At once" title="Prompts that are asked at the same time" value=${atOnce.value} min=${1} max=${MAX_AT_ONCE} step=${1} isNeeded
            onChange=${(/** @type {number | undefined} */ value) => {
              atOnce.value = Math.round(value ?? 1);
            }} />
          ${
            source.value.text.trim() &&
            html`<span class="small ${problem ? "asking-problem" : "quiet"} number" role="status">${
              problem ??
              `${prompts.length} ${prompts.length === 1 ? "prompt" : "prompts"} (${format}), ${calls} ${calls === 1 ? "call" : "calls"}`
            }</span>`
          }
        </div>
        ${
          isRunning
            ? html`<button type="button" class="button danger compare-run" onClick=${() => now?.stop()}><${Icon} name="stop" />Stop<kbd>Esc</kbd></button>`
            : html`<button type="button" class="button primary compare-run" disabled=${!canRun} onClick=${run}><${Icon} name="play" />Compare</button>`
        }
      </div>
    </section>
    ${now && html`<${BatchResults} batch=${now} />`}`;
}

/** @param {{batch: PromptBatch}} props */
function BatchResults({ batch: now }) {
  const turn = useSignal(0);
  useEffect(() => {
    if (!now.isRunning.value) return;
    const timer = setInterval(() => {
      turn.value += 1;
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [now, now.isRunning.value]);
  now.version.value;
  const done = now.done.value;
  const left = now.rows.length - done;
  const lanes = now.rows.flatMap((row) => row.session?.lanes ?? []);
  const answers = lanes.filter((lane) => lane.isOver).length;
  const all = now.rows.length * now.experiment.entries.length * now.experiment.runs;
  const groups = nameEntries(now.experiment.entries).map((named, at) => ({
    ...named,
    index: at,
    color: at,
    lanes: now.rows.flatMap((row) => row.session?.groups[at].lanes ?? []),
  }));
  return html`<div class="run-bar">
      <span class="small quiet number" role="status">${done} of ${now.rows.length} prompts, ${answers} of ${all} answers</span>
      <progress class="run-progress" value=${answers} max=${all} aria-label="Answers that are complete" data-running=${String(now.isRunning.value)} />
      ${!now.isRunning.value && left > 0 && html`<button type="button" class="button compact" onClick=${() => now.run()}><${Icon} name="play" />Ask the ${left} that are left</button>`}
    </div>
    <div class="card"><${ResultsTable} groups=${groups} /></div>
    <${PromptMatrix} batch=${now} groups=${groups} />`;
}
