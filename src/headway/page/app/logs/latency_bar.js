/** A call's latency as a number and a small bar: time to the first token, then the rest. */
import { formatSeconds, isNumber } from "../format.js";
import { html } from "../html.js";

/** @param {{row: import("./types.js").Row, scale: number}} props `scale`: seconds of a full bar */
export function LatencyBar({ row, scale }) {
  const latency = row.latency_s;
  if (!isNumber(latency)) return html`<span class="latency"><span class="number">–</span></span>`;
  const width = Math.max(2, Math.min(1, latency / scale) * 100);
  const first = isNumber(row.time_to_first_token_s)
    ? Math.min(1, row.time_to_first_token_s / latency) * 100
    : 0;
  const title = `${formatSeconds(row.time_to_first_token_s)} to the first token, ${formatSeconds(latency)} in all`;
  return html`<span class="latency" title=${title}>
    <span class="number">${formatSeconds(latency)}</span>
    <span class="latency-track" aria-hidden="true"><span class="latency-bar ${latency > scale ? "is-cut" : ""}" style=${{ width: `${width}%` }}>
      ${first > 0 && html`<span class="latency-first" style=${{ width: `${first}%` }} />`}</span></span>
  </span>`;
}
