/** What stands below the composer before anything was asked. */
import { Skeleton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { areModelsLoaded, models, modelsError } from "../state/models.js";
import { EXAMPLES } from "./presets.js";
import { change, experiment, start } from "./state.js";

export function Start() {
  if (!areModelsLoaded.value) return html`<${Skeleton} lines=${4} height="1.5em" />`;
  const count = experiment.value.entries.length;
  if (!models.value.length && !modelsError.value) {
    return html`<div class="empty"><${Icon} name="key" /><h2>No model can be called yet</h2>
      <p>Give the gateway the key of a provider, such as <code>OPENAI_API_KEY</code>, or configure a model on this machine.</p>
      <p><a href="#/models">See the providers and their keys</a></p></div>`;
  }
  /** @param {string} prompt */
  const ask = (prompt) => {
    change({ prompt });
    start();
  };
  return html`<section class="compare-start" aria-label="Examples">
    <p class="quiet">Every model answers at once, side by side: first token, rhythm, speed and price of each, live.
      ${count ? " Ask something above, or start with one of these:" : " Add models above first."}</p>
    <div class="compare-examples">
      ${EXAMPLES.map(
        ({
          title,
          prompt,
        }) => html`<button key=${title} type="button" class="card compare-example" disabled=${!count}
        onClick=${() => ask(prompt)}><span class="compare-example-title">${title}<${Icon} name="play" /></span>
        <span class="small quiet">${prompt}</span></button>`,
      )}
    </div>
  </section>`;
}
