/** The sessions: conversations and runs of agents, the most recent first. */
import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { gatewayKey, getJson } from "../api/client.js";
import { ErrorNotice, Skeleton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { formatCount, formatSeconds, formatTime, formatUsd } from "../format.js";
import { html } from "../html.js";
import { routeHref } from "../state/router.js";
import { filterIdentity, hasFilters, toApiQuery, withValues } from "./filters.js";

const PAGE_ROWS = 100;
/** Sessions that are held; filters find older ones. */
const MOST = 2000;

class SessionPages {
  #abort = new AbortController();

  /** @param {Record<string, string[]>} query */
  constructor(query) {
    this.query = query;
    this.rows = signal(/** @type {import("./types.js").Session[]} */ ([]));
    this.next = signal(/** @type {string | null | undefined} */ (undefined));
    this.error = signal(/** @type {Error | null} */ (null));
    this.isLoading = signal(false);
  }

  async load() {
    if (this.isLoading.value) return;
    this.isLoading.value = true;
    const { signal } = this.#abort;
    try {
      const query = { ...this.query, limit: PAGE_ROWS, cursor: this.next.value };
      const page = await getJson("api/sessions", { query, signal });
      this.rows.value = [...this.rows.value, ...page.data];
      this.next.value = page.next_cursor;
      this.error.value = null;
    } catch (error) {
      if (!signal.aborted) this.error.value = /** @type {Error} */ (error);
    }
    this.isLoading.value = false;
  }

  close() {
    this.#abort.abort();
  }
}

/** @param {{query: URLSearchParams}} props */
export function SessionList({ query }) {
  const identity = `${filterIdentity(query)} ${gatewayKey.value}`;
  const pages = useMemo(() => new SessionPages(toApiQuery(query)), [identity]);
  useEffect(() => {
    pages.load();
    return () => pages.close();
  }, [pages]);
  const rows = pages.rows.value;
  if (pages.error.value && !rows.length)
    return html`<div class="logs-note"><${ErrorNotice} error=${pages.error.value} onRetry=${() => pages.load()} /></div>`;
  if (pages.next.value === undefined)
    return html`<div class="logs-note"><${Skeleton} lines=${10} height="1.5em" /></div>`;
  if (!rows.length) {
    return html`<div class="empty"><${Icon} name="branch" /><h2>No sessions${hasFilters(query) ? " match these filters" : " yet"}</h2>
      <p>Calls belong to a session where the client names one, as agents do; your own by the header <code>x-headway-session</code>.</p></div>`;
  }
  return html`<div class="session-scroll"><table class="table session-table">
    <thead><tr><th>Session</th><th>Ended</th><th class="right">Calls</th><th class="right">Failed</th><th class="right">Took</th><th class="right">Cost</th>
      <th class="right">Input</th><th class="right">Output</th><th>Models</th><th>User</th></tr></thead>
    <tbody>${rows.map((row) => html`<${SessionRow} key=${row.id} row=${row} query=${query} />`)}</tbody>
  </table>
  <div class="logs-foot row number">
    <span>${formatCount(rows.length)} sessions</span>
    ${pages.next.value !== null && rows.length < MOST && html`<button type="button" class="button compact" disabled=${pages.isLoading.value} onClick=${() => pages.load()}>More</button>`}
    ${rows.length >= MOST && html`<span>These are the newest. Filters find older ones.</span>`}
    ${pages.error.value && html`<${ErrorNotice} error=${pages.error.value} onRetry=${() => pages.load()} />`}
  </div></div>`;
}

/** @param {{row: import("./types.js").Session, query: URLSearchParams}} props */
function SessionRow({ row, query }) {
  const href = routeHref("logs", [], withValues(query, { view: null, session: row.id }));
  return html`<tr class="session-row">
    <td class="session-id"><a href=${href} title=${row.id}>${row.id}</a></td>
    <td class="number">${formatTime(row.ended)}</td>
    <td class="right">${formatCount(row.calls)}</td>
    <td class="right ${row.failed ? "is-problem" : "faint"}">${row.failed || "–"}</td>
    <td class="right">${formatSeconds(row.duration_s)}</td>
    <td class="right" title=${row.cost_usd_exact ? `$${row.cost_usd_exact}` : "Not known"}>${formatUsd(row.cost_usd)}</td>
    <td class="right">${formatCount(row.input_tokens)}</td>
    <td class="right">${formatCount(row.output_tokens)}</td>
    <td><span class="truncate session-models" title=${row.models.join(", ")}>${row.models.join(", ")}</span></td>
    <td class="truncate">${row.user ?? "–"}</td>
  </tr>`;
}
