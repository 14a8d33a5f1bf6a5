/** The first sight: what can be done here, and how a key is added where there is none. */
import { ErrorNotice } from "../components/basics.js";
import { Mark } from "../components/icon.js";
import { html } from "../html.js";
import { areModelsLoaded, loadModels, models, modelsError } from "../state/models.js";
import { focusPrompt } from "./composer.js";
import { draft, sendDraft } from "./conversation.js";

const EXAMPLES = [
  {
    title: "Tell a story",
    text: "Tell me a short story about a lighthouse keeper who counts ships.",
  },
  {
    title: "Write code",
    text: "Write a Python function that merges two sorted lists, with a short explanation.",
  },
  { title: "Explain", text: "Explain in three sentences why the sky is blue." },
  {
    title: "Make a table",
    text: "Compare HTTP/1.1, HTTP/2 and HTTP/3 in a Markdown table with three rows.",
  },
];
/** Providers that are part of the gateway. */
const OWN = ["local", "echo"];

/** @param {import("../state/models.js").Model & {targets?: string[]}} model */
const isOwn = ({ provider, targets = [] }) =>
  provider ? OWN.includes(provider) : targets.every((target) => OWN.includes(target.split("/")[0]));

export function Welcome() {
  const hasOnlyOwn = models.value.length > 0 && models.value.every(isOwn);
  return html`<div class="welcome">
    <${Mark} />
    <h2>Ask a model anything</h2>
    <p class="quiet">You see each token as it arrives, how fast it came, and what it cost.</p>
    ${modelsError.value && html`<${ErrorNotice} error=${modelsError.value} onRetry=${loadModels} />`}
    <div class="welcome-examples">
      ${EXAMPLES.map(
        ({ title, text }) =>
          html`<button key=${title} type="button" class="welcome-example" onClick=${() => {
            draft.value = { ...draft.value, text };
            if (models.value.length) sendDraft();
            else focusPrompt();
          }}><strong>${title}</strong><span class="quiet">${text}</span></button>`,
      )}
    </div>
    ${
      areModelsLoaded.value &&
      hasOnlyOwn &&
      html`<div class="key-help small quiet">
        <p>This model runs on the gateway's own machine and needs no key. To add others, start the gateway with</p>
        <p><code>OPENAI_API_KEY</code>, <code>ANTHROPIC_API_KEY</code>, … in its environment, or write the keys into <code>headway.yaml</code>.</p>
      </div>`
    }
    ${
      areModelsLoaded.value &&
      !models.value.length &&
      !modelsError.value &&
      html`<div class="key-help small quiet">
        <p>No model can be used yet. Start the gateway with <code>OPENAI_API_KEY</code>, <code>ANTHROPIC_API_KEY</code>, …</p>
        <p>in its environment, or write the keys into <code>headway.yaml</code>.</p>
      </div>`
    }
  </div>`;
}
