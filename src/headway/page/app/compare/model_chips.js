/** The models that take part, each with a menu of its own parameters. */
import { useSignal } from "@preact/signals";
import { IconButton } from "../components/basics.js";
import { seriesColor } from "../components/color.js";
import { Popover } from "../components/dialog.js";
import { Icon } from "../components/icon.js";
import { ModelPicker } from "../components/model_picker.js";
import { html } from "../html.js";
import { areModelsLoaded, models, modelsError } from "../state/models.js";
import { describeOverrides, MAX_MODELS, nameOf, readExperiment, splitModel } from "./experiment.js";
import { JsonEditor } from "./json_field.js";
import { NumberField } from "./number_field.js";
import { withValue } from "./parameters.js";
import { change, changeEntry, experiment, lastEntries } from "./state.js";

/** @typedef {import("./experiment.js").Entry} Entry */

export function ModelChips() {
  const { entries } = experiment.value;
  /** @param {string} id */
  const toggle = (id) => {
    const at = entries.findIndex((entry) => entry.model === id);
    if (at >= 0) change({ entries: entries.filter((_, index) => index !== at) });
    else addEntries([{ model: id, parameters: {} }]);
  };
  return html`<div class="lane-chips" role="group" aria-label="Models">
    ${entries.map((entry, at) => html`<${Chip} key=${`${at} ${entry.model}`} entry=${entry} at=${at} />`)}
    <${ModelPicker} isMany selected=${entries.map((entry) => entry.model)} onPick=${toggle} label="Add models"
      class="${entries.length ? "plain" : "primary"} compact add-model"><${Icon} name="plus" />${entries.length ? "Add" : "Add models"}</${ModelPicker}>
    <${QuickAdd} />
    ${
      entries.length > 1 &&
      html`<${IconButton} icon="trash" label="Take all models away" class="plain compact"
      onClick=${() => change({ entries: [] })} />`
    }
    ${modelsError.value && html`<span class="asking-problem small">${modelsError.value.message}</span>`}
  </div>`;
}

/** @param {Entry[]} more */
function addEntries(more) {
  const { entries } = experiment.value;
  change({ entries: [...entries, ...more].slice(0, MAX_MODELS) });
}

/** @param {{entry: Entry, at: number}} props */
function Chip({ entry, at }) {
  const isOpen = useSignal(false);
  const [provider, name] = splitModel(entry.model);
  const own = describeOverrides(entry);
  const isUnknown =
    areModelsLoaded.value &&
    !modelsError.value &&
    !models.value.some((model) => model.id === entry.model);
  const title = isUnknown ? `${nameOf(entry)}: not in the list of usable models` : nameOf(entry);
  const button = html`<button type="button" class="lane-chip-name" aria-expanded=${String(isOpen.value)} title=${title}
      onClick=${() => {
        isOpen.value = !isOpen.value;
      }}>
      <span class="swatch" style=${{ "--swatch": `var(${seriesColor(at)})` }} />
      <span class="truncate">${provider && html`<span class="faint">${provider}/</span>`}${name}</span>
      ${own && html`<span class="tag truncate">${own}</span>`}
      ${isUnknown && html`<span class="tag warn">unknown</span>`}
      <${Icon} name="down" /></button>`;
  return html`<span class="lane-chip">
    <${Popover} button=${button} isOpen=${isOpen.value} onClose=${() => {
      isOpen.value = false;
    }} class="lane-chip-menu">
      <${ChipMenu} entry=${entry} at=${at} onClose=${() => {
        isOpen.value = false;
      }} />
    </${Popover}>
    <button type="button" class="lane-chip-remove" aria-label=${`Take ${nameOf(entry)} away`} title="Take away"
      onClick=${() => change({ entries: experiment.value.entries.filter((_, index) => index !== at) })}><${Icon} name="close" /></button>
  </span>`;
}

/** @param {{entry: Entry, at: number, onClose: () => void}} props */
function ChipMenu({ entry, at, onClose }) {
  const { parameters } = entry;
  /** @param {string} name @param {number | undefined} value */
  const set = (name, value) => changeEntry(at, { parameters: withValue(parameters, name, value) });
  return html`<div class="stack">
    <p class="small quiet">For this model only</p>
    <div class="row wrap">
      <${NumberField} label="Temperature" value=${parameters.temperature} min=${0} max=${2} step=${0.1}
        onChange=${(/** @type {number | undefined} */ value) => set("temperature", value)} />
      <${NumberField} label="Max tokens" value=${parameters.max_tokens} min=${1} step=${1}
        onChange=${(/** @type {number | undefined} */ value) => set("max_tokens", value)} />
    </div>
    <${JsonEditor} label="Further parameters, JSON" parameters=${parameters} hidden=${["temperature", "max_tokens"]}
      onChange=${(/** @type {Record<string, any>} */ values) => changeEntry(at, { parameters: values })} />
    <div class="row">
      <button type="button" class="button compact" onClick=${() => {
        addEntries([{ ...entry }]);
        onClose();
      }}>
        <${Icon} name="copy" />Add once more</button>
      ${
        Object.keys(parameters).length > 0 &&
        html`<button type="button" class="button plain compact"
        onClick=${() => {
          changeEntry(at, { parameters: {} });
          onClose();
        }}>As the others</button>`
      }
    </div>
  </div>`;
}

/** Several models at once: those of the last comparison, all of a provider. */
function QuickAdd() {
  const isOpen = useSignal(false);
  const { entries } = experiment.value;
  const last = readExperiment({ models: lastEntries.value }).entries;
  const providers = new Map(
    models.value
      .filter((model) => !model.is_route && !model.is_alias)
      .map((model) => [model.provider, model.provider_name]),
  );
  if (!last.length && !providers.size) return null;
  /** @param {Entry[]} next */
  const pick = (next) => {
    addEntries(next);
    isOpen.value = false;
  };
  const button = html`<button type="button" class="button plain compact" aria-expanded=${String(isOpen.value)}
    onClick=${() => {
      isOpen.value = !isOpen.value;
    }}>Add several<${Icon} name="down" /></button>`;
  return html`<${Popover} button=${button} isOpen=${isOpen.value} onClose=${() => {
    isOpen.value = false;
  }} class="quick-add">
    ${
      last.length > 0 &&
      html`<button type="button" class="option" onClick=${() => {
        change({ entries: last });
        isOpen.value = false;
      }}>
      <span class="grow">As last time</span><span class="faint tiny">${last.length} models</span></button>`
    }
    ${[...providers].map(([provider, name]) => {
      const own = models.value.filter(
        (model) => model.provider === provider && !model.is_route && !model.is_alias,
      );
      const fresh = own.filter((model) => !entries.some((entry) => entry.model === model.id));
      return html`<button key=${provider} type="button" class="option" disabled=${!fresh.length}
        onClick=${() => pick(fresh.map((model) => ({ model: model.id, parameters: {} })))}>
        <span class="grow">All of ${name}</span>
        <span class="faint tiny number">${own.length > MAX_MODELS ? `${MAX_MODELS} of ${own.length}` : own.length}</span></button>`;
    })}
  </${Popover}>`;
}
