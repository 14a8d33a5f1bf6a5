/** Logs: every call, as it ends and for as long as records are kept. */
import { ErrorNotice, Segmented, Skeleton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { formatCount } from "../format.js";
import { html } from "../html.js";
import { useShortcuts } from "../shortcuts.js";
import { navigate, route, routeHref } from "../state/router.js";
import { AnswerDiff } from "./answer_diff.js";
import { useCallList } from "./call_list.js";
import { Drawer } from "./drawer.js";
import { FilterBar } from "./filter_bar.js";
import { hasFilters, withoutFilters, withValues } from "./filters.js";
import { FirstCall } from "./first_call.js";
import { Replay } from "./replay.js";
import { MAX_ROWS } from "./row_window.js";
import { SessionList } from "./session_list.js";
import { SessionSummary } from "./session_summary.js";
import { callHref, chosen, isLiveWanted, listHref, showQuery } from "./state.js";
import { CallTable } from "./table.js";
import { includesNow } from "./time_range.js";
import { Toolbar } from "./toolbar.js";

export function Page() {
  const { path, query } = route.value;
  const [id, action, other] = path;
  if (id && action === "replay") return html`<${Replay} key=${id} id=${id} />`;
  if (id && action === "vs" && other)
    return html`<${AnswerDiff} key=${`${id} ${other}`} first=${id} second=${other} />`;
  return query.get("view") === "sessions"
    ? html`<${Sessions} query=${query} />`
    : html`<${Calls} query=${query} id=${id ?? null} />`;
}

/** @param {{query: URLSearchParams, children?: unknown}} props */
function Head({ query, children }) {
  const view = query.get("view") === "sessions" ? "sessions" : "calls";
  return html`<header class="logs-head">
    <h1>Logs</h1>
    <${Segmented} label="What to list" value=${view} options=${[{ value: "calls", label: "Calls" }, { value: "sessions", label: "Sessions" }]}
      onChange=${(/** @type {string} */ next) => navigate(routeHref("logs", [], withValues(query, { view: next === "calls" ? null : next, session: null })))} />
    <span class="grow" />
    ${children}
  </header>`;
}

/** @param {{query: URLSearchParams}} props */
function Sessions({ query }) {
  return html`<div class="page-fill logs">
    <${Head} query=${query} />
    <${FilterBar} query=${query} />
    <${SessionList} query=${query} />
  </div>`;
}

/** @param {{query: URLSearchParams, id: string | null}} props */
function Calls({ query, id }) {
  const isNow = includesNow(query);
  const list = useCallList(query, isLiveWanted.value && isNow);
  const sessions = query.getAll("session");
  useShortcuts({
    Escape: (event) => {
      if (!id) return;
      event.preventDefault();
      navigate(listHref(), { replace: true });
      /** @type {HTMLElement | null} */ (document.querySelector(".call-table"))?.focus();
    },
  });
  return html`<div class="page-fill logs ${id ? "has-drawer" : ""}">
    <div class="logs-main">
      <${Head} query=${query}><${Toolbar} query=${query} list=${list} includesNow=${isNow} /></${Head}>
      <${FilterBar} query=${query} />
      ${sessions.length === 1 && html`<${SessionSummary} key=${sessions[0]} id=${sessions[0]} />`}
      <div class="logs-list">
        <${Waiting} list=${list} />
        <${ListBody} list=${list} query=${query} id=${id} />
        <${ChosenBar} />
      </div>
    </div>
    ${id && html`<${Drawer} id=${id} list=${list} />`}
  </div>`;
}

/** @param {{list: import("./call_list.js").CallList, query: URLSearchParams, id: string | null}} props */
function ListBody({ list, query, id }) {
  const { rows } = list;
  rows.version.value;
  const error = rows.error.value;
  if (error && !rows.length) {
    const retry = list.retryIn.value;
    return html`<div class="logs-note"><${ErrorNotice} error=${error} onRetry=${() => rows.restart()} />
      ${retry > 0 && html`<p class="faint small logs-retry" role="status">Trying again in ${retry} s.</p>`}</div>`;
  }
  if (!rows.hasLoaded.value)
    return html`<div class="logs-note"><${Skeleton} lines=${14} height="1.5em" /></div>`;
  if (!rows.length) return html`<${NoCalls} query=${query} />`;
  return html`${error && html`<div class="logs-note"><${ErrorNotice} error=${error} onRetry=${() => rows.restart()} /></div>`}
    <${CallTable} list=${list} openId=${id} />
    <${Foot} list=${list} query=${query} />`;
}

/** @param {{query: URLSearchParams}} props */
function NoCalls({ query }) {
  if (!hasFilters(query)) return html`<${FirstCall} />`;
  return html`<div class="empty"><${Icon} name="filter" /><h2>No call matches these filters</h2>
    <p>${query.get("text") ? "Words are searched in messages that are kept, and in errors." : "A wider range of time, or fewer filters, may find some."}</p>
    <button type="button" class="button" onClick=${() => showQuery(withoutFilters(query))}>Clear filters</button></div>`;
}

/** @param {{list: import("./call_list.js").CallList, query: URLSearchParams}} props */
function Foot({ list, query }) {
  const { rows } = list;
  if (rows.isComplete)
    return html`<p class="logs-foot number" role="status">${formatCount(rows.length)} ${rows.length === 1 ? "call" : "calls"}</p>`;
  if (!rows.isFull)
    return html`<p class="logs-foot number" role="status">The newest ${formatCount(rows.length)} calls; older ones come as you scroll</p>`;
  const oldest = rows.rowsHeld().at(-1);
  return html`<p class="logs-foot number" role="status">The newest ${formatCount(MAX_ROWS)} calls.
    <button type="button" class="button compact plain" onClick=${() => showQuery(withValues(query, { until: oldest?.time ?? null }))}>Go on with older ones</button></p>`;
}

/** @param {{list: import("./call_list.js").CallList}} props */
function Waiting({ list }) {
  const count = list.waiting.value.length;
  if (!count) return null;
  const show = () => {
    const table = document.querySelector(".call-table");
    if (table) table.scrollTop = 0;
    list.showWaiting();
  };
  return html`<button type="button" class="button compact primary logs-waiting" onClick=${show}>
    <${Icon} name="up" />${count >= 1000 ? "1,000 or more" : count} new</button>`;
}

/** What can be done with the calls that were chosen. */
function ChosenBar() {
  const [first, second] = chosen.value;
  if (!first) return null;
  return html`<div class="chosen-bar" role="status">
    <span>${second ? "Two calls chosen" : "Choose one more call to compare the answers"}</span>
    ${second && html`<a class="button compact primary" href=${callHref(first, "vs", second)}>Compare answers</a>`}
    <button type="button" class="button compact plain" onClick=${() => {
      chosen.value = [];
    }}>Cancel</button>
  </div>`;
}
