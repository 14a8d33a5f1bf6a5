/** One parameter: unset, or a value within the model's range. */
import { IconButton } from "../components/basics.js";
import { html } from "../html.js";
import { setParameter } from "./conversation.js";
import { checkParameter } from "./settings.js";

/** @typedef {import("./settings.js").Field} Field */

/** @param {{field: Field, value: number | string | string[] | undefined}} props */
export function ParameterField({ field, value }) {
  const id = `parameter-${field.name}`;
  if (field.refused) {
    return html`<div class="field refused"><div class="field-label"><span>${field.label}</span></div><span class="hint">${field.refused}</span></div>`;
  }
  const problem = value === undefined ? null : checkParameter(field, value);
  const Control = {
    range: NumberControl,
    integer: NumberControl,
    choice: ChoiceControl,
    list: ListControl,
  }[field.kind];
  return html`<div class="field parameter ${value === undefined ? "" : "is-set"}">
    <div class="field-label"><label for=${id} title=${field.help}>${field.label}</label>
      ${value !== undefined && html`<${IconButton} icon="close" label=${`Unset ${field.label.toLowerCase()}`} class="plain compact" onClick=${() => setParameter(field.name, null)} />`}
      ${field.kind !== "list" && html`<${Control} id=${id} field=${field} value=${value} problem=${problem} />`}
    </div>
    ${field.kind === "list" && html`<${Control} id=${id} field=${field} value=${value} problem=${problem} />`}
    ${field.kind === "range" && html`<${Slider} field=${field} value=${value} />`}
    ${problem && html`<span class="problem" role="alert">${problem}</span>`}
  </div>`;
}

/** @param {Event} event */
const textOf = (event) => /** @type {HTMLInputElement} */ (event.target).value;

/** @param {{id: string, field: Field, value: any, problem: string | null}} props */
function NumberControl({ id, field, value, problem }) {
  const { minimum, maximum, step } = field.range;
  return html`<input id=${id} class="input number-input" type="number" inputmode="decimal" min=${minimum ?? undefined} max=${maximum ?? undefined}
    step=${field.kind === "integer" ? 1 : (step ?? "any")} placeholder=${field.range.default ?? "unset"} aria-invalid=${String(Boolean(problem))}
    value=${value ?? ""} onInput=${(/** @type {Event} */ event) => {
      const text = textOf(event);
      setParameter(field.name, text === "" || Number.isNaN(Number(text)) ? null : Number(text));
    }} />`;
}

/** @param {{field: Field, value: any}} props */
function Slider({ field, value }) {
  const { minimum, maximum, step } = field.range;
  const [from, to] = [minimum ?? 0, maximum ?? 1];
  const shown = value ?? field.range.default ?? from;
  const fill = value === undefined ? 0 : Math.min(1, Math.max(0, (value - from) / (to - from)));
  return html`<input type="range" class="slider" aria-label=${`${field.label}, slider`} min=${from} max=${to} step=${step ?? 0.01}
    style=${{ "--fill": `${fill * 100}%` }} value=${shown}
    onInput=${(/** @type {Event} */ event) => setParameter(field.name, Number(textOf(event)))} />`;
}

/** @param {{id: string, field: Field, value: any}} props */
function ChoiceControl({ id, field, value }) {
  return html`<select id=${id} class="select number-input" value=${value ?? ""}
    onChange=${(/** @type {Event} */ event) => setParameter(field.name, textOf(event) || null)}>
    <option value="">unset</option>
    ${field.values?.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
  </select>`;
}

/** One text a line. @param {{id: string, field: Field, value: any}} props */
function ListControl({ id, field, value }) {
  return html`<textarea id=${id} class="textarea auto mono" rows="1" placeholder="One text a line, at most four" spellcheck=${false}
    value=${(value ?? []).join("\n")} onInput=${(/** @type {Event} */ event) => {
      const text = textOf(event);
      setParameter(field.name, text ? text.split("\n") : null);
    }}></textarea>`;
}
