/** The waterfall: a bar for each attempt, drawn to scale, and the same as numbers. */
import { Icon } from "../components/icon.js";
import { formatSeconds, formatShare } from "../format.js";
import { html } from "../html.js";
import { StatusMark } from "./status_mark.js";
import { explainAttempt, lengthOf, SEGMENTS, segmentsByAttempt, ticksOf } from "./waterfall.js";

/** @typedef {import("./waterfall.js").Segment} Segment */

/** @param {{call: import("./types.js").Details}} props */
export function Waterfall({ call }) {
  const length = lengthOf(call);
  const byAttempt = segmentsByAttempt(call);
  const ticks = ticksOf(length);
  return html`<div class="waterfall">
    ${call.attempt_details.map(
      (
        attempt,
      ) => html`<${AttemptBar} key=${attempt.record.id} attempt=${attempt} length=${length} ticks=${ticks}
      segments=${byAttempt.get(attempt.number) ?? []} />`,
    )}
    <div class="waterfall-axis" aria-hidden="true">${ticks.map((tick) => html`<span key=${tick} class="number ${tick / length > 0.94 ? "is-last" : ""}" style=${{ left: `${(tick / length) * 100}%` }}>${tick === 0 ? "0" : formatSeconds(tick)}</span>`)}</div>
    <${SegmentTable} segments=${[...byAttempt.values()].flat()} length=${length} />
  </div>`;
}

/** @param {{attempt: import("./types.js").Attempt, segments: Segment[], length: number, ticks: number[]}} props */
function AttemptBar({ attempt, segments, length, ticks }) {
  const spoken = segments
    .map((one) => `${SEGMENTS[one.kind].label} ${formatSeconds(one.end - one.start)}`)
    .join(", ");
  return html`<div class="attempt">
    <div class="row between"><span class="truncate small"><b>${attempt.provider ?? "No provider"}</b> ${attempt.deployment ?? attempt.record.model ?? ""}${attempt.provider_key ? html` <span class="faint">key ${attempt.provider_key}</span>` : ""}</span>
      <${StatusMark} row=${attempt} /></div>
    <p class="tiny faint">${attempt.number ? `${attempt.number}. ` : ""}${explainAttempt(attempt)}</p>
    <div class="waterfall-track" role="img" aria-label=${spoken}>
      ${ticks.map((tick) => html`<span key=${tick} class="waterfall-line" style=${{ left: `${(tick / length) * 100}%` }} />`)}
      ${segments.map(
        (
          one,
        ) => html`<span key=${one.kind} class="segment is-${one.kind}" title=${`${SEGMENTS[one.kind].label}: ${formatSeconds(one.end - one.start)}`}
        style=${{ left: `${(one.start / length) * 100}%`, width: `max(1px, ${((one.end - one.start) / length) * 100}%)` }} />`,
      )}
    </div>
    ${attempt.error && html`<p class="tiny attempt-error"><${Icon} name="warn" /><span>${attempt.error.message ?? attempt.error.type}</span></p>`}
    <${DecisionView} decision=${attempt.decision} attempt=${attempt} />
  </div>`;
}

/** How the targets were chosen. @param {{decision: import("./types.js").Decision | null, attempt: import("./types.js").Attempt}} props */
function DecisionView({ decision, attempt }) {
  if (!decision || attempt.role !== "first") return null;
  return html`<details class="decision tiny"><summary class="decision-title">Why this target</summary>
    <p class="decision-text">Strategy <b>${decision.strategy}</b>. Targets in their order: ${decision.targets?.join(", ") || "none"}.</p>
    ${(decision.skipped ?? []).map((one) => html`<p key=${one.target} class="decision-text">Passed over <b>${one.target}</b>: ${one.reason}.</p>`)}
  </details>`;
}

/** @param {{segments: Segment[], length: number}} props */
function SegmentTable({ segments, length }) {
  const sums = Object.keys(SEGMENTS).map((kind) => ({
    kind,
    seconds: segments
      .filter((one) => one.kind === kind)
      .reduce((sum, one) => sum + one.end - one.start, 0),
  }));
  return html`<table class="segment-table"><tbody>${sums
    .filter((one) => one.seconds > 0)
    .map(
      ({ kind, seconds }) => html`<tr key=${kind} title=${SEGMENTS[kind].title}>
    <th scope="row"><span class="swatch is-${kind}" />${SEGMENTS[kind].label}</th><td class="number">${formatSeconds(seconds)}</td><td class="number faint">${formatShare(seconds / length)}</td></tr>`,
    )}
  </tbody></table>`;
}
