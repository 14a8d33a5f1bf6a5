/** Choose models by typing: with price and context window, so that a choice needs no other page. */
import { useSignal } from "@preact/signals";
import { formatBrief, formatUsd } from "../format.js";
import { html } from "../html.js";
import { areModelsLoaded, models } from "../state/models.js";
import { Popover } from "./dialog.js";
import { Icon } from "./icon.js";
import { SearchList } from "./list_box.js";

/** @param {import("../state/models.js").Model} model */
export function describePrice(model) {
  const { input, output } = model.prices ?? {};
  return input === undefined || input === null ? "" : `${formatUsd(input)} / ${formatUsd(output)}`;
}

/**
 * @param {{selected: string[], onPick: (id: string) => void, label?: string, isMany?: boolean,
 *   class?: string, id?: string, children?: unknown}} props with `isMany` it stays open, and a model
 *   that is selected is picked again to take it away; `id` is that of the button, `children` are its
 *   content
 */
export function ModelPicker({
  selected,
  onPick,
  label = "Choose a model",
  isMany = false,
  class: more = "",
  id,
  children,
}) {
  const isOpen = useSignal(false);
  const close = () => {
    isOpen.value = false;
  };
  // Many of these stand on a page, each with few to see: what is closed makes no list.
  const shown = isOpen.value ? models.value : [];
  const items = shown.map((model) => ({
    id: model.id,
    text: model.id,
    keywords: `${model.provider_name} ${model.is_route ? "route" : ""}`,
    selected: selected.includes(model.id),
    render: () => html`<span class="grow truncate">
        <span class="faint">${model.id.includes("/") ? `${model.id.slice(0, model.id.indexOf("/"))}/` : ""}</span>${model.id.slice(
          model.id.indexOf("/") + 1,
        )}</span>
      ${model.is_route && html`<span class="tag">route</span>`}
      ${model.context_window && html`<span class="faint tiny number" title="Context window, tokens">${formatBrief(model.context_window)}</span>`}
      <span class="faint tiny number" title="US dollars for a million tokens, input / output">${describePrice(model)}</span>
      ${selected.includes(model.id) && html`<${Icon} name="check" />`}`,
  }));
  const button = html`<button type="button" id=${id} class="button ${more}" aria-haspopup="listbox"
    title=${children ? label : undefined} aria-label=${more.includes("icon") ? label : undefined}
    aria-expanded=${String(isOpen.value)}
    onClick=${() => {
      isOpen.value = !isOpen.value;
    }}>${children ?? html`<span class="truncate">${selected[0] ?? label}</span><${Icon} name="down" />`}</button>`;
  return html`<${Popover} button=${button} isOpen=${isOpen.value} onClose=${close} class="model-list">
    <${SearchList} label=${label} placeholder="Search models" items=${items}
      empty=${areModelsLoaded.value ? "No model has this name." : "Loading the models…"}
      onPick=${(/** @type {{id: string}} */ item) => {
        onPick(item.id);
        if (!isMany) close();
      }} />
  </${Popover}>`;
}
