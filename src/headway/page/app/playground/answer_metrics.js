/** The figures of an answer and its rhythm: measured here while it arrives, the gateway's at the end. */
import { useSignal } from "@preact/signals";
import { Metrics } from "../components/basics.js";
import { Popover } from "../components/dialog.js";
import { gapsOf, quantile, Rhythm } from "../components/rhythm.js";
import { formatCount, formatSeconds, formatSpeed } from "../format.js";
import { html } from "../html.js";
import { memo } from "../memo.js";
import { Cost } from "./cost.js";
import { answerOf } from "./live_answer.js";

/** @typedef {import("./turns.js").Answer} Answer @typedef {import("../streams/comparison.js").Comparison} Comparison */

/** A silence shorter than this is drawn only when it is over. */
const OPEN_GAP_MS = 200;

/** Figures and rhythm are drawn at most this often while an answer arrives. */
const BEAT_MS = 50;

/** @param {{run: Comparison | undefined, answer: Answer}} props */
export function AnswerMetrics({ run, answer }) {
  const beat = run ? Math.floor(performance.now() / BEAT_MS) : 0;
  return html`<${Beat} run=${run} answer=${run ? null : answer} beat=${beat} />`;
}

const Beat = memo(
  /** @param {{run: Comparison | undefined, answer: Answer | null, beat: number}} props */
  function Beat({ run, answer: finished, beat }) {
    const answer = run ? answerOf(run) : /** @type {Answer} */ (finished);
    const { arrivals } = answer;
    const silenceMs = run ? performance.now() - run.lanes[0].seenAt : 0;
    const openMs = silenceMs > OPEN_GAP_MS ? silenceMs : 0;
    return html`<div class="answer-metrics">
      ${arrivals.length > 2 && html`<${Rhythm} arrivals=${arrivals} version=${beat} openMs=${openMs} height=${28} />`}
      <div class="figures"><${Metrics} compact items=${itemsOf(answer, run)} /></div>
      ${!run && html`<${Remarks} answer=${answer} />`}
    </div>`;
  },
);

/**
 * What the gateway does not say, or not yet, is measured here.
 * @param {Answer} answer @param {Comparison | undefined} run
 */
function itemsOf(answer, run) {
  const m = answer.metrics ?? {};
  const gaps = answer.metrics ? [] : gapsOf(answer.arrivals).map((gap) => gap / 1000);
  const live = (/** @type {number} */ share) => (gaps.length ? quantile(gaps, share) : undefined);
  const first =
    m.time_to_first_token_s ?? (answer.arrivals.length ? answer.arrivals[0] / 1000 : undefined);
  const p50 = m.inter_token_latency_p50_s ?? live(0.5);
  const p95 = m.inter_token_latency_p95_s ?? live(0.95);
  const about = m.tokens_source && m.tokens_source !== "reported" ? "~" : "";
  return [
    {
      label: "First token",
      value: formatSeconds(first),
      title: "From the request to the first content",
    },
    {
      label: "Speed",
      value: formatSpeed(m.tokens_per_second),
      title: "Tokens out divided by the latency",
    },
    {
      label: "Latency",
      value: formatSeconds(m.latency_s ?? (run && (performance.now() - run.startedAt) / 1000)),
      title: "From the request to the last byte",
    },
    {
      label: "Gap p50 / p95",
      value: `${formatSeconds(p50)} / ${formatSeconds(p95)}`,
      title: "Time between two events: half, and 95 of 100, are shorter",
    },
    {
      label: "Tokens in / out",
      value: `${about}${formatCount(m.input_tokens)} / ${about}${formatCount(m.output_tokens)}`,
      title: describeTokens(m),
    },
    ...(run ? [] : [{ label: "Cost", value: html`<${Cost} answer=${answer} />` }]),
  ];
}

/** @param {Record<string, any>} m */
function describeTokens(m) {
  const parts = [
    m.tokens_source === "counted"
      ? "counted here: the provider reported none"
      : m.tokens_source === "estimated"
        ? "estimated from what arrived"
        : m.tokens_source
          ? "as the provider reported"
          : "not known",
    m.cached_tokens ? `${formatCount(m.cached_tokens)} in from the provider's cache` : "",
    m.reasoning_tokens ? `${formatCount(m.reasoning_tokens)} out for reasoning` : "",
  ];
  return `Tokens: ${parts.filter(Boolean).join("; ")}`;
}

/** What differs from what was asked. @param {{answer: Answer}} props */
function Remarks({ answer }) {
  const asked = answer.model;
  const served =
    answer.servedModel && answer.provider
      ? `${answer.provider}/${answer.servedModel}`
      : answer.servedModel;
  const isOther = served && served !== asked && answer.servedModel !== asked;
  const count = answer.transformations.length;
  if (!isOther && !count) return null;
  return html`<div class="row wrap remarks">
    ${isOther && html`<span class="tag" title="The model that answered">answered by ${served}</span>`}
    ${count > 0 && html`<${Changes} list=${answer.transformations} />`}
  </div>`;
}

/** @param {{list: string[]}} props */
function Changes({ list }) {
  const isOpen = useSignal(false);
  const close = () => {
    isOpen.value = false;
  };
  const button = html`<button type="button" class="tag-button tag" aria-expanded=${String(isOpen.value)}
    onClick=${() => {
      isOpen.value = !isOpen.value;
    }}>${list.length === 1 ? "1 change to the request" : `${list.length} changes to the request`}</button>`;
  return html`<${Popover} button=${button} isOpen=${isOpen.value} onClose=${close} class="padded">
    <p class="small faint">So that the provider accepts it:</p>
    <ul class="small change-list">${list.map((one) => html`<li key=${one}>${one}</li>`)}</ul>
  </${Popover}>`;
}
