/** A request run again with other models, beside its first answer. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { getJson } from "../api/client.js";
import { useResource } from "../api/resource.js";
import { ErrorNotice, IconButton, Segmented, Skeleton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { Markdown } from "../components/markdown.js";
import { ModelPicker } from "../components/model_picker.js";
import { html } from "../html.js";
import { FigureTable } from "./compare_figures.js";
import { DiffView } from "./diff_view.js";
import { lastPrompt } from "./messages.js";
import { callHref } from "./state.js";

const MOST = 20;

/** @param {{id: string}} props */
export function Replay({ id }) {
  const { data, error, reload } = useResource(`api/logs/${encodeURIComponent(id)}`);
  const call = /** @type {import("./types.js").Details | null} */ (data);
  return html`<div class="page wide-view">
    <header class="page-head"><div class="row">
      <a class="button icon plain" href=${callHref(id)} title="Back to the call" aria-label="Back to the call"><${Icon} name="left" /></a>
      <div><h1>Replay</h1>${call && html`<p class="small">${call.provider} / ${call.model}</p>`}</div></div></header>
    ${error ? html`<${ErrorNotice} error=${error} onRetry=${reload} />` : call ? html`<${Form} call=${call} />` : html`<${Skeleton} lines=${6} height="1.5em" />`}
  </div>`;
}

/** @param {{call: import("./types.js").Details}} props */
function Form({ call }) {
  const picked = useSignal(/** @type {string[]} */ ([]));
  const parameters = useSignal("");
  const isRunning = useSignal(false);
  const error = useSignal(/** @type {Error | null} */ (null));
  const result = useSignal(/** @type {any} */ (null));
  const abort = useRef(/** @type {AbortController | null} */ (null));
  useEffect(() => () => abort.current?.abort(), []);
  if (call.conversation?.mode !== "full") {
    return html`<div class="notice"><${Icon} name="info" /><p>The messages of this call were not kept, so it cannot be run again. <code>ledger.content: full</code> keeps them.</p></div>`;
  }
  const changes = readParameters(parameters.value);
  const run = async () => {
    abort.current = new AbortController();
    isRunning.value = true;
    error.value = null;
    try {
      const body = { models: picked.value, ...(changes && { parameters: changes }) };
      result.value = await getJson(`api/replay/${encodeURIComponent(call.call_id)}`, {
        body,
        signal: abort.current.signal,
      });
    } catch (problem) {
      if (!abort.current.signal.aborted) error.value = /** @type {Error} */ (problem);
    }
    isRunning.value = false;
  };
  /** @param {string} id */
  const toggle = (id) => {
    const others = picked.value.filter((one) => one !== id);
    picked.value = others.length === picked.value.length ? [...others, id].slice(0, MOST) : others;
  };
  return html`<div class="stack">
    <blockquote class="replay-prompt">${lastPrompt(call.conversation.messages).slice(0, 600) || "(no text)"}</blockquote>
    <div class="row wrap">
      ${picked.value.map(
        (
          id,
        ) => html`<span key=${id} class="filter-chip"><span class="truncate filter-chip-text small">${id}</span>
        <${IconButton} icon="close" label=${`Remove ${id}`} class="plain compact filter-chip-remove" onClick=${() => toggle(id)} /></span>`,
      )}
      <${ModelPicker} selected=${picked.value} isMany=${true} onPick=${toggle} class="compact"><${Icon} name="plus" />Model</${ModelPicker}>
      ${
        isRunning.value
          ? html`<button type="button" class="button compact" onClick=${() => abort.current?.abort()}><${Icon} name="stop" />Stop</button>`
          : html`<button type="button" class="button compact primary" disabled=${!picked.value.length || changes === undefined} onClick=${run}><${Icon} name="play" />Run</button>`
      }
    </div>
    <details class="small"><summary>Change parameters</summary>
      <div class="field"><label for="replay-parameters">Fields that replace those of the request, as JSON; null removes one</label>
        <textarea id="replay-parameters" class="textarea mono" rows="3" placeholder='{"temperature": 0}' spellcheck=${false} value=${parameters}
          aria-invalid=${String(changes === undefined)}
          onInput=${(/** @type {InputEvent} */ event) => {
            parameters.value = /** @type {HTMLTextAreaElement} */ (event.target).value;
          }} />
        ${changes === undefined && html`<span class="problem">This is no JSON object.</span>`}</div></details>
    <p class="faint tiny">Each run is a call of its own, metered and recorded with the tag replay:${call.call_id.slice(0, 8)}….</p>
    ${error.value && html`<${ErrorNotice} error=${error.value} onRetry=${run} />`}
    ${isRunning.value && html`<p class="quiet small" role="status">Waiting for ${picked.value.length} ${picked.value.length === 1 ? "answer" : "answers"}…</p><${Skeleton} lines=${4} />`}
    ${!isRunning.value && result.value && html`<${Results} result=${result.value} />`}
  </div>`;
}

/** @param {{result: any}} props */
function Results({ result }) {
  const view = useSignal("difference");
  const { original, results } = result;
  const name = `${original.call.provider}/${original.call.model}`;
  const options = [
    { value: "difference", label: "Differences" },
    { value: "answers", label: "Answers" },
  ];
  return html`<div class="stack">
    <div class="row between"><h2>Results</h2><${Segmented} label="What to show" value=${view.value} options=${options} onChange=${(
      /** @type {string} */ next,
    ) => {
      view.value = next;
    }} /></div>
    <${FigureTable} answers=${[{ name: `${name} (recorded)`, figures: original.call }, ...results.map((/** @type {any} */ one) => ({ name: one.model, figures: one.metrics }))]} />
    <div class="answer-columns">
      <section class="card padded stack"><h3 class="truncate">${name} <span class="faint">recorded</span></h3><${Answer} text=${original.text} /></section>
      ${results.map(
        (
          /** @type {any} */ one,
          /** @type {number} */ at,
        ) => html`<section key=${at} class="card padded stack">
        <header class="row between"><h3 class="truncate" title=${one.model}>${one.model}</h3>${one.id && html`<a class="small" href=${callHref(one.id)}>Open</a>`}</header>
        ${one.error && html`<div class="notice bad"><${Icon} name="warn" /><p>${one.error.message ?? one.error.type}</p></div>`}
        ${one.transformations.length > 0 && html`<p class="tiny faint">${one.transformations.join(" · ")}</p>`}
        ${one.text !== null && (view.value === "answers" ? html`<${Answer} text=${one.text} />` : html`<${DiffView} before=${original.text ?? ""} after=${one.text} />`)}
      </section>`,
      )}
    </div>
  </div>`;
}

/** @param {{text: string | null}} props */
const Answer = ({ text }) =>
  text ? html`<${Markdown} text=${text} />` : html`<p class="faint small">No text</p>`;

/** @param {string} text @returns {Record<string, unknown> | null | undefined} null for none, undefined for what is no object */
function readParameters(text) {
  if (!text.trim()) return null;
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
