/** All models of the configured providers in a table. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useResource } from "../api/resource.js";
import { Empty, ErrorNotice, Skeleton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import {
  formatBrief,
  formatCount,
  formatSeconds,
  formatShare,
  formatSpeed,
  formatUsd,
} from "../format.js";
import { html } from "../html.js";
import { useShortcuts } from "../shortcuts.js";
import { changeQuery, route } from "../state/router.js";
import { useBehaviour } from "./behaviour.js";
import { ModelDetails } from "./model_details.js";
import { ABILITIES, findModels, sortModels } from "./model_rows.js";

/** @typedef {import("../state/models.js").Model} Model */

const SHOWN = 150;
const COLUMNS = [
  { name: "id", label: "Model" },
  { name: "context", label: "Context", isRight: true, title: "Longest input, in tokens" },
  { name: "input", label: "Input", isRight: true, title: "US dollars for a million tokens" },
  { name: "output", label: "Output", isRight: true, title: "US dollars for a million tokens" },
  { name: "", label: "Can do" },
  { name: "calls", label: "Calls", isRight: true, title: "Here, in the last 24 hours" },
  { name: "failed", label: "Failed", isRight: true, title: "Here, in the last 24 hours" },
  { name: "ttft", label: "First token", isRight: true, title: "Median here, in the last 24 hours" },
  { name: "speed", label: "Speed", isRight: true, title: "Median here, in the last 24 hours" },
];

export function ModelList() {
  const query = route.value.query;
  const showsAll = query.get("all") === "1";
  const { data, error, isLoading, reload } = useResource("api/models", {
    usable: showsAll ? "" : "1",
  });
  const behaviour = useBehaviour();
  const isWhole = useSignal(false);
  const list = /** @type {{data: Model[], errors?: Record<string, any>} | null} */ (data);
  const filter = {
    search: query.get("search") ?? "",
    provider: query.get("provider") ?? "",
    kind: query.get("kind") ?? "chat",
    abilities: query.getAll("can"),
  };
  const column = query.get("sort") ?? "id";
  const isDown = query.get("down") === "1";
  const found = useMemo(
    () =>
      sortModels(
        findModels(list?.data ?? [], { ...filter, kind: filter.kind === "all" ? "" : filter.kind }),
        behaviour,
        column,
        isDown,
      ),
    [list, behaviour, JSON.stringify(filter), column, isDown],
  );
  useEffect(() => {
    isWhole.value = false;
  }, [JSON.stringify(filter)]);
  useShortcuts({
    "/": (event) => {
      event.preventDefault();
      document.getElementById("model-search")?.focus();
    },
  });
  const chosen = query.get("model");
  const model = chosen && list?.data.find((one) => one.id === chosen);
  const shown = isWhole.value ? found : found.slice(0, SHOWN);
  return html`<div class="stack">
    <${Filters} list=${list?.data ?? []} filter=${filter} showsAll=${showsAll} />
    ${error && html`<${ErrorNotice} error=${error} onRetry=${reload} />`}
    ${!list && isLoading && html`<${Skeleton} lines=${10} height="2rem" />`}
    ${
      list &&
      !found.length &&
      html`<${Empty} icon="models" title="No model matches">
      <p>${showsAll ? "Take a filter away." : "Only models that can be called now are listed."}</p>
      ${!showsAll && html`<button type="button" class="button" onClick=${() => changeQuery({ all: "1" })}>Show those without a key, too</button>`}</${Empty}>`
    }
    ${
      found.length > 0 &&
      html`<div class="card"><div class="table-scroll" tabindex="0" role="region" aria-label="Models"><table class="table model-table">
      <thead><tr>${COLUMNS.map((one) => html`<${Head} key=${one.label} column=${one} sorted=${column} isDown=${isDown} />`)}</tr></thead>
      <tbody>${shown.map((one) => html`<${ModelRow} key=${one.id} model=${one} row=${behaviour.get(one.id)} />`)}</tbody>
    </table></div></div>
    <p class="small quiet">${formatCount(found.length)} models${
      shown.length < found.length &&
      html`, the first ${shown.length} are shown. <button type="button" class="link-button" onClick=${() => {
        isWhole.value = true;
      }}>Show all</button>`
    }</p>`
    }
    ${model && html`<${ModelDetails} model=${model} row=${behaviour.get(model.id)} onClose=${() => changeQuery({ model: null })} />`}
  </div>`;
}

/** @param {{list: Model[], filter: any, showsAll: boolean}} props */
function Filters({ list, filter, showsAll }) {
  const providers = [...new Set(list.map((model) => model.provider))].sort();
  const kinds = [...new Set(list.map((model) => model.kind))].sort();
  /** @param {string} name */
  const toggle = (name) =>
    changeQuery({
      can: filter.abilities.includes(name)
        ? filter.abilities.filter((/** @type {string} */ one) => one !== name)
        : [...filter.abilities, name],
    });
  return html`<div class="row wrap model-filters">
    <input id="model-search" class="input" type="search" aria-label="Search models" placeholder="Search models" value=${filter.search}
      onInput=${(/** @type {any} */ event) => changeQuery({ search: event.target.value })} />
    <select class="select" aria-label="Provider" value=${filter.provider} onChange=${(/** @type {any} */ event) => changeQuery({ provider: event.target.value })}>
      <option value="">All providers</option>${providers.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select>
    <select class="select" aria-label="Kind" value=${filter.kind} onChange=${(/** @type {any} */ event) => changeQuery({ kind: event.target.value })}>
      <option value="all">All kinds</option>${kinds.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select>
    <div class="row wrap" role="group" aria-label="Abilities">${ABILITIES.map(
      (
        one,
      ) => html`<button key=${one.name} type="button" class="button compact" aria-pressed=${String(filter.abilities.includes(one.name))}
        onClick=${() => toggle(one.name)}>${one.label}</button>`,
    )}</div>
    <label class="check"><input type="checkbox" checked=${showsAll} onChange=${(/** @type {any} */ event) => changeQuery({ all: event.target.checked ? "1" : null })} />Include those without a key</label>
  </div>`;
}

/** @param {{column: any, sorted: string, isDown: boolean}} props */
function Head({ column, sorted, isDown }) {
  const isSorted = column.name && column.name === sorted;
  const turn = () =>
    changeQuery({
      sort: column.name,
      down: (isSorted ? !isDown : column.name === "calls") ? "1" : null,
    });
  return html`<th class=${column.isRight ? "right" : ""} title=${column.title} aria-sort=${isSorted ? (isDown ? "descending" : "ascending") : "none"}>
    ${column.name ? html`<button type="button" onClick=${turn}>${column.label}${isSorted && html`<${Icon} name=${isDown ? "down" : "up"} />`}</button>` : column.label}</th>`;
}

/** @param {{model: Model, row: any}} props */
function ModelRow({ model, row }) {
  const can = ABILITIES.filter((ability) => model.abilities[ability.name]);
  return html`<tr>
    <td class="model-name"><button type="button" class="link-button truncate" title=${model.id} onClick=${() => changeQuery({ model: model.id })}>
        ${model.id.includes("/") && html`<span class="faint">${model.id.slice(0, model.id.indexOf("/") + 1)}</span>`}${model.id.slice(model.id.indexOf("/") + 1)}</button>
      ${model.is_route && html`<span class="tag">route</span>`}${model.is_alias && html`<span class="tag">alias</span>`}
      ${model.deprecated && html`<span class="tag warn">deprecated</span>`}${!model.usable && html`<span class="tag">no key</span>`}</td>
    <td class="right">${formatBrief(model.context_window)}</td>
    <td class="right">${formatUsd(model.prices?.input)}</td>
    <td class="right">${formatUsd(model.prices?.output)}</td>
    <td class="faint tiny can-do">${can.map((ability) => ability.label).join(", ") || "–"}</td>
    <td class="right">${formatCount(row?.calls)}</td>
    <td class="right">${row?.calls ? formatShare(row.failed / row.calls) : "–"}</td>
    <td class="right">${formatSeconds(row?.metrics.time_to_first_token_s?.p50)}</td>
    <td class="right">${formatSpeed(row?.metrics.tokens_per_second?.p50)}</td>
  </tr>`;
}
