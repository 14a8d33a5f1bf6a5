/** The tools that a model wants called: what it gave them, and a field to answer each. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { highlight } from "../components/code_block.js";
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { Alternatives } from "./alternatives.js";
import { giveResults } from "./conversation.js";
import { prettyJson } from "./json_text.js";

/** @typedef {import("./turns.js").Turn} Turn */

/** @param {{turn: Turn, answer: import("./turns.js").Answer, given: Turn | null, isRunning: boolean}} props */
export function ToolCalls({ turn, answer, given, isRunning }) {
  const typed = useSignal(/** @type {Record<number, string>} */ ({}));
  const isEditing = useSignal(false);
  const { toolCalls } = answer;
  if (!toolCalls.length) return null;
  const isAsking = !isRunning && answer.status !== "failed" && (!given || isEditing.value);
  const resultOf = (/** @type {number} */ at) => typed.value[at] ?? given?.results[at]?.text ?? "";
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    isEditing.value = false;
    giveResults(
      turn.id,
      toolCalls.map((call, at) => ({ ...call, text: resultOf(at) })),
    );
    typed.value = {};
  };
  return html`<form class="tool-cards" onSubmit=${submit}>
    ${toolCalls.map(
      (call, at) => html`<section key=${at} class="tool-card" aria-label=${`Call of ${call.name}`}>
        <h3 class="tool-name"><${Icon} name="tool" /><code>${call.name}</code></h3>
        <${Arguments} text=${call.arguments} isWhole=${!isRunning} />
        ${
          isAsking &&
          html`<div class="field">
          <label for=${`${turn.id}-${at}`}>Result</label>
          <textarea id=${`${turn.id}-${at}`} class="textarea auto mono" rows="1" spellcheck=${false}
            placeholder="What the tool returned: text or JSON" value=${resultOf(at)}
            onInput=${(/** @type {InputEvent} */ event) => {
              typed.value = {
                ...typed.value,
                [at]: /** @type {HTMLTextAreaElement} */ (event.target).value,
              };
            }} /></div>`
        }
        ${!isAsking && given && html`<div class="tool-result"><span class="tiny faint">Result</span><pre>${prettyJson(resultOf(at))}</pre></div>`}
      </section>`,
    )}
    ${
      isAsking &&
      html`<div class="row"><button class="button primary compact">Continue with ${toolCalls.length > 1 ? "these results" : "this result"}</button>
      ${
        isEditing.value &&
        html`<button type="button" class="button compact" onClick=${() => {
          isEditing.value = false;
        }}>Cancel</button>`
      }</div>`
    }
    ${
      !isAsking &&
      given &&
      html`<div class="row"><${Alternatives} turn=${given} />
      <button type="button" class="button plain compact" onClick=${() => {
        isEditing.value = true;
      }}><${Icon} name="edit" />Other results</button></div>`
    }
  </form>`;
}

/** @param {{text: string, isWhole: boolean}} props */
function Arguments({ text, isWhole }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = isWhole ? prettyJson(text || "{}") : text;
  useEffect(() => {
    if (!ref.current) return;
    ref.current.textContent = shown;
    if (isWhole) highlight(ref.current, shown, "json");
  }, [shown, isWhole]);
  return html`<pre class="tool-arguments" tabindex="0" role="region" aria-label="Arguments"><code ref=${ref} /></pre>`;
}
