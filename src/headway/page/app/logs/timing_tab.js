/** Where the time of a call went. */
import { formatCount, formatSeconds } from "../format.js";
import { html } from "../html.js";
import { GapChart } from "./gap_chart.js";
import { Waterfall } from "./waterfall_view.js";

/** @param {{call: import("./types.js").Details}} props */
export function TimingTab({ call }) {
  const figures = [
    {
      label: "Whole call",
      value: call.duration_s,
      title:
        "From the request read whole until the client had the end of the reply, all attempts included",
    },
    {
      label: "Latency",
      value: call.latency_s,
      title: "To the last byte of the answer received from the provider",
    },
    {
      label: "First byte",
      value: call.time_to_first_byte_s,
      title: "To the headers of the provider's response",
    },
    {
      label: "First token",
      value: call.time_to_first_token_s,
      title: "To the first event with content",
    },
    {
      label: "Gateway",
      value: call.gateway_overhead_s,
      title: "The gateway's own work, without waiting for the provider",
    },
  ];
  return html`<section class="stack">
    <dl class="metrics">${figures.map((figure) => html`<div key=${figure.label} class="metric" title=${figure.title}><dt>${figure.label}</dt><dd>${formatSeconds(figure.value)}</dd></div>`)}</dl>
    <h3>Waterfall</h3>
    <${Waterfall} call=${call} />
    <h3>Gaps between events</h3>
    <${GapChart} gaps=${call.attempt_details.map((attempt) => attempt.gaps)} />
    <dl class="metrics">
      ${[
        ["Events", formatCount(call.content_events)],
        ["Mean gap", formatSeconds(call.inter_token_latency_s)],
        ["Median", formatSeconds(call.inter_token_latency_p50_s)],
        ["95th percentile", formatSeconds(call.inter_token_latency_p95_s)],
        ["Longest", formatSeconds(call.inter_token_latency_max_s)],
      ].map(
        ([label, value]) =>
          html`<div key=${label} class="metric"><dt>${label}</dt><dd>${value}</dd></div>`,
      )}
    </dl>
  </section>`;
}
