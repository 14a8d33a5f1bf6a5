/** Everything that can be set about a request. */
import { useSignal } from "@preact/signals";
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { changeSettings, model, settings } from "./conversation.js";
import { EXAMPLE_EXTRA, EXAMPLE_SCHEMA, EXAMPLE_TOOLS } from "./examples.js";
import { JsonField } from "./json_field.js";
import { readExtra, readSchema, readTools } from "./json_text.js";
import { ParameterField } from "./parameter_field.js";
import { emptySettings, fieldsOf } from "./settings.js";

export function SettingsPanel() {
  const { system, parameters, tools, schema, extra } = settings.value;
  const fields = fieldsOf(model.value);
  const hasAny = system || Object.keys(parameters).length || tools || schema || extra;
  return html`<div class="settings">
    <div class="field">
      <label for="system-prompt">System prompt</label>
      <textarea id="system-prompt" class="textarea" rows="4" placeholder="How the model should behave" value=${system}
        onInput=${(/** @type {InputEvent} */ event) => changeSettings({ system: /** @type {HTMLTextAreaElement} */ (event.target).value })}></textarea>
    </div>
    <section class="settings-section" aria-label="Parameters">
      <div class="row between"><h2>Parameters</h2>
        <span class="tiny faint">only what you set is sent</span></div>
      ${fields.map((field) => html`<${ParameterField} key=${field.name} field=${field} value=${parameters[field.name]} />`)}
    </section>
    <${Fold} title="Tools" isSet=${tools !== ""} refused=${model.value?.abilities.tools === false ? "This model calls no tools." : ""}>
      <${JsonField} id="tools" label="Tools as JSON" text=${tools} read=${readTools} example=${EXAMPLE_TOOLS}
        onChange=${(/** @type {string} */ text) => changeSettings({ tools: text })} />
    </${Fold}>
    <${Fold} title="Answer as JSON" isSet=${schema !== ""} refused=${model.value?.abilities.json_schema === false ? "This model takes no JSON schema." : ""}>
      <${JsonField} id="schema" label="JSON schema of the answer" text=${schema} read=${readSchema} example=${EXAMPLE_SCHEMA}
        onChange=${(/** @type {string} */ text) => changeSettings({ schema: text })} />
    </${Fold}>
    <${Fold} title="Other fields" isSet=${extra !== ""} refused="">
      <${JsonField} id="extra" label="Fields of the request as JSON" text=${extra} read=${readExtra} example=${EXAMPLE_EXTRA}
        hint="Merged into the body of the request, whatever the provider takes."
        onChange=${(/** @type {string} */ text) => changeSettings({ extra: text })} />
    </${Fold}>
    ${
      hasAny &&
      html`<button type="button" class="button plain compact" onClick=${() => changeSettings({ ...emptySettings(), model: settings.peek().model })}>
      <${Icon} name="retry" />Reset all settings</button>`
    }
  </div>`;
}

/** @param {{title: string, isSet: boolean, refused: string, children?: unknown}} props */
function Fold({ title, isSet, refused, children }) {
  const choice = useSignal(/** @type {boolean | null} */ (null));
  const isOpen = choice.value ?? isSet;
  return html`<section class="settings-section fold">
    <h2><button type="button" class="fold-button" aria-expanded=${String(isOpen)} onClick=${() => {
      choice.value = !isOpen;
    }}>
      <${Icon} name=${isOpen ? "down" : "right"} />${title}${isSet && html`<span class="dot" title="set" />`}</button></h2>
    ${isOpen && refused && html`<p class="tiny stalled">${refused}</p>`}
    ${isOpen && children}
  </section>`;
}
