/** The bar above the conversation: the model and what it costs, and what can be done with all. */
import { IconButton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { describePrice, ModelPicker } from "../components/model_picker.js";
import { formatBrief } from "../format.js";
import { html } from "../html.js";
import { navigate, routeHref } from "../state/router.js";
import { encodeState } from "../state/share.js";
import { focusPrompt } from "./composer.js";
import { draft, model, path, setModel, settings, startNew } from "./conversation.js";
import { comparisonOf } from "./request.js";

/** @param {{isPanelOpen: boolean, onPanel: () => void, onCopy: () => void}} props */
export function Head({ isPanelOpen, onPanel, onCopy }) {
  const { model: id } = settings.value;
  return html`<header class="playground-head">
    <h1 class="visually-hidden">Playground</h1>
    <${ModelPicker} id="playground-model" class="model-button" selected=${id ? [id] : []}
      onPick=${(/** @type {string} */ picked) => {
        setModel(picked);
        focusPrompt();
      }} />
    <${Facts} />
    <div class="head-actions">
      <button type="button" class="button plain" title="Ask several models the same" aria-label="Compare" onClick=${compare}>
        <${Icon} name="compare" /><span class="wide-only">Compare</span></button>
      <button type="button" class="button plain" title="This request as code" aria-label="Code" onClick=${onCopy}>
        <${Icon} name="code" /><span class="wide-only">Code</span></button>
      <${IconButton} icon="plus" label="New conversation (Alt N)" onClick=${startNew} />
      <${IconButton} icon="settings" label="Settings" pressed=${isPanelOpen} onClick=${onPanel} />
    </div>
  </header>`;
}

/** What is known of the model, in few words. */
function Facts() {
  const one = model.value;
  if (!one) return html`<span class="grow" />`;
  const price = describePrice(one);
  return html`<p class="head-facts grow truncate small faint number">
    ${one.is_route && html`<span class="tag">route</span>`}
    ${one.deprecated && html`<span class="tag warn" title="The provider has announced that it will be removed">deprecated</span>`}
    ${one.context_window && html`<span title="Context window">${formatBrief(one.context_window)} tokens</span>`}
    ${price && html`<span title="US dollars for a million tokens, input / output">${price}</span>`}
  </p>`;
}

/** Takes the conversation to the page that asks several models. */
async function compare() {
  const state = comparisonOf(settings.value, path.value, draft.value, model.value);
  navigate(routeHref("compare", [], { s: await encodeState(state) }));
}
