/** A session above its calls: sums, turns, and a line of time. */
import { useResource } from "../api/resource.js";
import { ErrorNotice, Skeleton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { formatCount, formatSeconds, formatTime, formatUsd } from "../format.js";
import { html } from "../html.js";
import { navigate } from "../state/router.js";
import { readConversation } from "./messages.js";
import { agentOf, asksForTools, timelineOf, turnsOf } from "./session_turns.js";
import { callHref } from "./state.js";

/** Calls that the line of time shows. */
const MOST = 500;
const MOST_LANES = 8;

/** @param {{id: string}} props */
export function SessionSummary({ id }) {
  const { data, error, reload } = useResource(`api/sessions/${encodeURIComponent(id)}`, {
    limit: MOST,
  });
  if (error)
    return html`<div class="session-summary"><${ErrorNotice} error=${error} onRetry=${reload} /></div>`;
  const found = /** @type {any} */ (data);
  if (!found) return html`<div class="session-summary"><${Skeleton} lines=${3} /></div>`;
  const session = /** @type {import("./types.js").Session} */ (found.session);
  const rows = /** @type {import("./types.js").Row[]} */ (found.data);
  const turns = turnsOf(rows);
  const tools = toolsOf(found.conversation);
  const agents = new Set(rows.flatMap((row) => agentOf(row) ?? []));
  const busy = rows.reduce((sum, row) => sum + (row.latency_s ?? 0), 0);
  const figures = [
    ["Turns", formatCount(turns.length), "A turn ends with an answer that asks for no more tools"],
    ["Calls", formatCount(session.calls), ""],
    [
      "With tools",
      formatCount(rows.filter(asksForTools).length),
      "Calls that ended with a request for tools",
    ],
    agents.size > 0
      ? ["Agents", formatCount(agents.size), "By the tag agent:NAME"]
      : ["Models", formatCount(session.models.length), session.models.join(", ")],
    ["Failed", formatCount(session.failed), ""],
    ["From first to last", formatSeconds(session.duration_s), ""],
    ["Models' time", formatSeconds(busy), "The latencies of the calls, added"],
    ["Input", formatCount(session.input_tokens), "Tokens"],
    ["Output", formatCount(session.output_tokens), "Tokens"],
    [
      "Cost",
      formatUsd(session.cost_usd),
      session.cost_usd_exact ? `$${session.cost_usd_exact}` : "Not known",
    ],
  ];
  return html`<section class="session-summary" aria-label="Session">
    <div class="row wrap"><${Icon} name="branch" /><h2 class="truncate" title=${id}>${id}</h2>
      <span class="faint small">${formatTime(session.started)}${session.user ? ` · ${session.user}` : ""}</span></div>
    <dl class="metrics compact">${figures.map(([label, value, title]) => html`<div key=${label} class="metric" title=${title}><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>
    <${TimelineView} rows=${rows} />
    ${tools.length > 0 && html`<p class="row wrap tiny">${tools.map(([name, count]) => html`<span key=${name} class="tag"><${Icon} name="tool" />${name}${count > 1 ? ` ×${count}` : ""}</span>`)}</p>`}
    ${found.next_cursor && html`<p class="faint tiny">The line of time shows the newest ${formatCount(rows.length)} of ${formatCount(session.calls)} calls.</p>`}
  </section>`;
}

/** @param {{rows: import("./types.js").Row[]}} props */
function TimelineView({ rows }) {
  const { bars, lanes, length, cuts } = timelineOf(rows);
  const shown = lanes.slice(0, MOST_LANES);
  return html`<div class="timeline">
    ${shown.map(
      (
        lane,
        at,
      ) => html`<div key=${lane} class="timeline-lane"><span class="truncate tiny" title=${lane}>${lane}</span>
      <div class="timeline-track">
        ${cuts.map((cut) => html`<span key=${cut.at} class="timeline-cut" title=${`${formatSeconds(cut.seconds)} without a call`} style=${{ left: `${(cut.at / length) * 100}%` }} />`)}
        ${bars
          .filter((bar) => bar.lane === lane)
          .map(
            (bar) => html`<button key=${bar.row.call_id} type="button"
          class="timeline-bar lane-${(at % 8) + 1} ${bar.row.outcome === "ok" ? "" : "is-bad"} ${asksForTools(bar.row) ? "is-tool" : ""}"
          style=${{ left: `${(bar.start / length) * 100}%`, width: `max(4px, ${((bar.end - bar.start) / length) * 100}%)` }}
          aria-label=${describe(bar.row)} title=${describe(bar.row)} onClick=${() => navigate(callHref(bar.row.call_id))} />`,
          )}
      </div></div>`,
    )}
    ${lanes.length > MOST_LANES && html`<p class="faint tiny">and ${lanes.length - MOST_LANES} more</p>`}
  </div>`;
}

/** @param {import("./types.js").Row} row */
function describe(row) {
  const end =
    row.outcome === "ok" ? (asksForTools(row) ? "asks for tools" : "answers") : row.outcome;
  return `${row.model ?? row.dialect}, ${formatSeconds(row.latency_s)}, ${formatUsd(row.cost_usd)}, ${end}`;
}

/** How often each tool was called. @param {import("./types.js").Conversation | null} conversation @returns {[string, number][]} */
function toolsOf(conversation) {
  if (conversation?.mode !== "full") return [];
  const { input, output } = readConversation(conversation);
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const part of [...input, ...output].flatMap((message) => message.parts)) {
    if (part.type === "tool_call") counts.set(part.name, (counts.get(part.name) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}
