/** What is asked: models, prompt, system prompt and parameters. */
import { useSignal } from "@preact/signals";
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { clampRuns, MAX_RUNS } from "./experiment.js";
import { JsonField } from "./json_field.js";
import { ModelChips } from "./model_chips.js";
import { NumberField } from "./number_field.js";
import { withValue } from "./parameters.js";
import { canRun, change, experiment, mode, session, stop } from "./state.js";

/** @param {Event} event */
const textFrom = (event) => /** @type {HTMLInputElement} */ (event.target).value;

/** @param {{onSend: () => void}} props */
export function Composer({ onSend }) {
  const isOpen = useSignal(false);
  const { prompt, system, messages, parameters, runs, isBlind } = experiment.value;
  const isRunning = session.value?.isRunning.value ?? false;
  const isOne = mode.value === "one";
  const hasMore = isOpen.value || system !== "";
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    onSend();
  };
  return html`<section class="card asking" aria-label="Experiment">
    <${ModelChips} />
    ${
      messages.length > 0 &&
      html`<div class="asking-context"><${Icon} name="chat" />
      <span class="grow">Continues a conversation of ${messages.length} ${messages.length === 1 ? "message" : "messages"}</span>
      <button type="button" class="button plain compact" onClick=${() => change({ messages: [] })}>Leave it out</button></div>`
    }
    ${
      hasMore &&
      html`<textarea class="textarea auto asking-system" aria-label="System prompt" rows="1"
      placeholder="System prompt: how the models should answer" value=${system}
      onInput=${(/** @type {Event} */ event) => change({ system: textFrom(event) })} />`
    }
    ${
      isOne &&
      html`<textarea id="compare-prompt" class="textarea auto asking-prompt" aria-label="Prompt" rows="2"
      placeholder=${messages.length ? "The next message; empty asks for an answer to the last one" : "Ask all of them something"}
      value=${prompt} onKeyDown=${onKey} autofocus
      onInput=${(/** @type {Event} */ event) => change({ prompt: textFrom(event) })} />`
    }
    <div class="asking-foot">
      <div class="asking-options">
        <button type="button" class="button plain compact" aria-expanded=${String(hasMore)}
          onClick=${() => {
            isOpen.value = !hasMore;
            if (hasMore) change({ system: "" });
          }}>
          <${Icon} name=${hasMore ? "close" : "plus"} />System prompt</button>
        <${NumberField} label="Temperature" value=${parameters.temperature} min=${0} max=${2} step=${0.1}
          onChange=${(/** @type {number | undefined} */ value) => change({ parameters: withValue(parameters, "temperature", value) })} />
        <${NumberField} label="Max tokens" value=${parameters.max_tokens} min=${1} step=${1}
          onChange=${(/** @type {number | undefined} */ value) => change({ parameters: withValue(parameters, "max_tokens", value) })} />
        <${JsonField} parameters=${parameters} hidden=${["temperature", "max_tokens"]}
          onChange=${(/** @type {Record<string, any>} */ values) => change({ parameters: values })} />
        <${NumberField} label="Runs" title="How often each model is asked" value=${runs} min=${1} max=${MAX_RUNS} step=${1} isNeeded
          onChange=${(/** @type {number | undefined} */ value) => change({ runs: clampRuns(value ?? 1) })} />
        ${
          isOne &&
          html`<label class="check"><input type="checkbox" checked=${isBlind}
          onChange=${() => change({ isBlind: !isBlind })} />Blind</label>`
        }
      </div>
      ${
        isOne &&
        (isRunning
          ? html`<button type="button" class="button danger compare-run" onClick=${stop}><${Icon} name="stop" />Stop<kbd>Esc</kbd></button>`
          : html`<button type="button" class="button primary compare-run" disabled=${!canRun.value} onClick=${onSend}>
            <${Icon} name="play" />Compare<kbd>↵</kbd></button>`)
      }
    </div>
  </section>`;
}
