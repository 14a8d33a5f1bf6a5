/** The figures of a lane: estimates while it runs, the gateway's own when it is over. */
import { useEffect, useRef } from "preact/hooks";
import { formatSeconds, formatUsd, isNumber } from "../format.js";
import { html } from "../html.js";
import { COLUMNS } from "./columns.js";
import { estimateCost } from "./statistics.js";

/** @typedef {import("../streams/lane.js").Lane} Lane */
const SPEED = /** @type {import("./columns.js").Column} */ (
  COLUMNS.find(({ id }) => id === "tokens_per_second")
);

/** @param {{lane: Lane, session: import("./session.js").Session}} props */
export function LaneFigures({ lane, session }) {
  lane.version.value;
  const { metrics, arrivals } = lane;
  const isWaiting = lane.status.value === "waiting";
  const first = metrics?.time_to_first_token_s ?? (arrivals.length ? arrivals[0] / 1000 : null);
  const speed = metrics ? metrics.tokens_per_second : SPEED.estimate?.(lane);
  const cost = metrics ? metrics.cost_usd : estimateCost(lane);
  return html`<dl class="lane-figures">
    <div><dt>First token</dt>
      <dd title=${exact(metrics?.time_to_first_token_s, "s")}>${
        isWaiting
          ? lane.isQueued
            ? "queued"
            : html`<${StopWatch} lane=${lane} session=${session} />`
          : formatSeconds(first)
      }</dd></div>
    <div><dt>Tokens/s</dt>
      <dd class=${metrics ? "" : "is-estimate"} title=${metrics ? exact(speed, "tokens/s") : "Estimated from the events so far"}>
        ${!metrics && isNumber(speed) ? "≈ " : ""}${SPEED.format(speed)}</dd></div>
    <div><dt>Cost</dt><dd class=${metrics ? "" : "is-estimate"} title=${costTitle(lane)}>${!metrics && isNumber(cost) ? "≈ " : ""}${metrics ? formatUsd(cost) : formatRoughUsd(cost)}</dd></div>
  </dl>`;
}

/** Two digits, so that it does not flicker. @param {number | null} value */
const formatRoughUsd = (value) => formatUsd(value === null ? null : Number(value.toPrecision(2)));

/** @param {number | null | undefined} value @param {string} unit */
export const exact = (value, unit) => (isNumber(value) ? `${value} ${unit}` : undefined);

/** @param {Lane} lane */
function costTitle(lane) {
  if (!lane.metrics) return "Estimated from the listed prices until the answer is complete";
  if (lane.costExact) return `${lane.costExact} US dollars`;
  return isNumber(lane.metrics.cost_usd)
    ? `${lane.metrics.cost_usd} US dollars`
    : (lane.metrics.cost_unknown_reason ?? "The price is not known");
}

/** Seconds since the request, drawn in each frame without drawing the lane. @param {{lane: Lane, session: import("./session.js").Session}} props */
function StopWatch({ lane, session }) {
  const ref = useRef(/** @type {HTMLSpanElement | null} */ (null));
  useEffect(() => {
    let frame = 0;
    const draw = () => {
      if (ref.current) ref.current.textContent = `${(session.elapsed(lane) / 1000).toFixed(1)} s`;
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, [lane]);
  return html`<span ref=${ref} class="is-estimate" />`;
}
