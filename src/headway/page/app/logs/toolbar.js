/** What can be done with the list: follow it, choose columns, keep the view, take it away. */
import { useSignal } from "@preact/signals";
import { IconButton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { copyText } from "../components/toasts.js";
import { html } from "../html.js";
import { navigate } from "../state/router.js";
import { COLUMNS, isWanted } from "./columns.js";
import { ExportMenu } from "./export_menu.js";
import { MenuButton } from "./menu.js";
import { columnChoices, isLiveWanted, savedViews } from "./state.js";

const LIVE_TEXTS = /** @type {Record<string, string>} */ ({
  off: "Live",
  connecting: "Live",
  live: "Live",
  resting: "Live",
  lost: "Reconnecting",
  full: "Busy",
});
const LIVE_TITLES = /** @type {Record<string, string>} */ ({
  off: "Show calls as they end",
  live: "Calls appear as they end. Click to stop",
  lost: "The connection broke: trying again",
  full: "As many pages follow the calls as the gateway allows: trying again",
});

/** @param {{query: URLSearchParams, list: import("./call_list.js").CallList, includesNow: boolean}} props */
export function Toolbar({ query, list, includesNow }) {
  const status = list.tail.status.value;
  const isLive = isLiveWanted.value && includesNow;
  return html`<div class="row logs-tools">
    ${
      !isLive &&
      html`<span class="faint tiny number logs-asof">${describeAge(list.rows.loadedAt.value)}</span>
      <${IconButton} icon="retry" label="Fetch the newest calls" class="plain compact" onClick=${() => list.reload()} />`
    }
    <button type="button" class="button compact live-button is-${isLive ? status : "off"}" aria-pressed=${String(isLive)} disabled=${!includesNow}
      title=${includesNow ? (LIVE_TITLES[status] ?? LIVE_TITLES.live) : "The range of time has ended"}
      onClick=${() => {
        isLiveWanted.value = !isLiveWanted.value;
      }}>
      <span class="dot live-dot" />${isLive ? LIVE_TEXTS[status] : "Live"}</button>
    <${MenuButton} label="Views" icon="eye" text=${html`<span class="tool-text">Views</span>`} panel="right views-panel">
      ${(/** @type {() => void} */ close) => html`<${ViewsMenu} query=${query} onDone=${close} />`}
    </${MenuButton}>
    <${MenuButton} label="Columns" icon="columns" text=${html`<span class="tool-text">Columns</span>`} panel="right columns-panel">
      ${() => html`<${ColumnsMenu} />`}
    </${MenuButton}>
    <${MenuButton} label="Export" icon="download" text=${html`<span class="tool-text">Export</span>`} panel="right export-panel">
      ${(/** @type {() => void} */ close) => html`<${ExportMenu} query=${query} onDone=${close} />`}
    </${MenuButton}>
  </div>`;
}

/** @param {number} time */
const describeAge = (time) => (time ? `As of ${new Date(time).toLocaleTimeString("en-GB")}` : "");

function ColumnsMenu() {
  return html`<fieldset class="columns-menu"><legend class="panel-title">Columns</legend>
    ${COLUMNS.map(
      (column) => html`<label key=${column.id} class="check option">
      <input type="checkbox" checked=${isWanted(column)} disabled=${column.id === "time"}
        onChange=${() => {
          columnChoices.value = { ...columnChoices.value, [column.id]: !isWanted(column) };
        }} />${column.label}</label>`,
    )}
    <button type="button" class="button compact plain" onClick=${() => {
      columnChoices.value = {};
    }}>Reset</button>
    <p class="panel-note">In a narrow window the less important ones give way.</p>
  </fieldset>`;
}

/** Views that everyone needs. */
const READY = [
  { name: "What failed", query: "outcome=error&outcome=refused" },
  { name: "Rate limits", query: "status=429" },
  { name: "Slower than 10 s", query: "min_latency=10" },
  { name: "Dearer than 10 cents", query: "min_cost=0.1" },
  { name: "Needed another attempt", query: "role=retry&role=fallback&role=hedge" },
  { name: "From the cache", query: "cache=hit" },
];

/** @param {{query: URLSearchParams, onDone: () => void}} props */
function ViewsMenu({ query, onDone }) {
  const name = useSignal("");
  /** @param {string} text */
  const show = (text) => {
    navigate(`#/logs${text ? `?${text}` : ""}`);
    onDone();
  };
  /** @param {SubmitEvent} event */
  const save = (event) => {
    event.preventDefault();
    const view = { name: name.value.trim(), query: query.toString() };
    if (!view.name) return;
    savedViews.value = [...savedViews.value.filter((one) => one.name !== view.name), view];
    name.value = "";
  };
  return html`<div>
    ${savedViews.value.length > 0 && html`<p class="panel-title">Yours</p>`}
    ${savedViews.value.map(
      (view) => html`<div key=${view.name} class="row">
      <button type="button" class="option grow truncate" onClick=${() => show(view.query)}>${view.name}</button>
      <${IconButton} icon="trash" label=${`Delete the view ${view.name}`} class="plain compact"
        onClick=${() => {
          savedViews.value = savedViews.value.filter((one) => one !== view);
        }} /></div>`,
    )}
    <p class="panel-title">Ready-made</p>
    ${READY.map((view) => html`<button key=${view.name} type="button" class="option" onClick=${() => show(view.query)}>${view.name}</button>`)}
    <form class="panel-form" onSubmit=${save}>
      <div class="row"><input class="input" aria-label="Name of this view" placeholder="Name of this view" maxlength="60" value=${name}
        onInput=${(/** @type {InputEvent} */ event) => {
          name.value = /** @type {HTMLInputElement} */ (event.target).value;
        }} />
        <button class="button compact" disabled=${!name.value.trim()}>Save</button></div>
      <button type="button" class="button compact plain" onClick=${() => {
        copyText(location.href, "Link to this view");
        onDone();
      }}>
        <${Icon} name="link" />Copy the link to this view</button>
      <p class="faint tiny">Views are kept in this browser. The link works for everyone who may see these calls.</p>
    </form>
  </div>`;
}
