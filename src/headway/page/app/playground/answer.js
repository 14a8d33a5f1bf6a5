/** A model's answer: while it arrives and afterwards, with all that is known of it. */
import { Icon } from "../components/icon.js";
import { Markdown } from "../components/markdown.js";
import { formatSeconds } from "../format.js";
import { html } from "../html.js";
import { AnswerActions } from "./answer_actions.js";
import { AnswerMetrics } from "./answer_metrics.js";
import { retryFailed, runs } from "./conversation.js";
import { answerOf } from "./live_answer.js";
import { ReasoningBlock } from "./reasoning_block.js";
import { emptyAnswer } from "./saved_state.js";
import { SchemaResult } from "./schema_result.js";
import { ToolCalls } from "./tool_calls.js";
import { useTick } from "./use_tick.js";

/** @typedef {import("./turns.js").Turn} Turn @typedef {import("./turns.js").Answer} AnswerData */

/** Silence that is said in words. */
const SILENCE_MS = 1500;

/** @param {{turn: Turn, given: Turn | null, isLast: boolean}} props `given`: results of its tool calls */
export function Answer({ turn, given, isLast }) {
  const run = runs.value.get(turn.id);
  const lane = run?.lanes[0];
  lane?.version.value;
  useTick(Boolean(lane), 100);
  const answer = run ? answerOf(run) : (turn.answer ?? emptyAnswer());
  const isRunning = Boolean(run);
  const hasContent = Boolean(answer.text || answer.reasoning || answer.toolCalls.length);
  const silenceMs =
    lane && run ? performance.now() - (lane.arrivals.length ? lane.seenAt : run.startedAt) : 0;
  return html`<article class="turn answer" aria-label=${`Answer of ${turn.model ?? "a model"}`} aria-busy=${String(isRunning)}>
    <header class="answer-head">
      <span class="answer-model truncate">${turn.model ?? "Assistant"}</span>
      ${isRunning && html`<${Waiting} hasContent=${hasContent} silenceMs=${silenceMs} />`}
    </header>
    <${ReasoningBlock} answer=${answer} isThinking=${isRunning && !answer.text && !answer.toolCalls.length} />
    ${answer.text && html`<${Markdown} text=${answer.text} isStreaming=${isRunning} />`}
    <${ToolCalls} turn=${turn} answer=${answer} given=${given} isRunning=${isRunning} />
    ${!isRunning && answer.status === "done" && html`<${SchemaResult} text=${answer.text} />`}
    ${!isRunning && html`<${Ending} turn=${turn} answer=${answer} hasContent=${hasContent} />`}
    ${(hasContent || answer.metrics) && html`<${AnswerMetrics} run=${run} answer=${answer} />`}
    ${!isRunning && html`<${AnswerActions} turn=${turn} answer=${answer} isLast=${isLast} />`}
    <p class="visually-hidden" role="status">${isRunning ? "" : "Answer complete"}</p>
  </article>`;
}

/** @param {{hasContent: boolean, silenceMs: number}} props */
function Waiting({ hasContent, silenceMs }) {
  if (hasContent && silenceMs < SILENCE_MS)
    return html`<span class="pulse" aria-label="Answering" role="img" />`;
  const words = hasContent
    ? `silent for ${formatSeconds(silenceMs / 1000)}`
    : formatSeconds(silenceMs / 1000);
  return html`<span class="pulse" aria-hidden="true" /><span class="tiny number ${hasContent ? "stalled" : "faint"}">${words}</span>`;
}

/** How an answer ended where it did not simply end. @param {{turn: Turn, answer: AnswerData, hasContent: boolean}} props */
function Ending({ turn, answer, hasContent }) {
  if (answer.status === "failed") {
    return html`<div class="notice bad" role="alert"><${Icon} name="warn" />
      <div class="grow">
        <p>${answer.error?.message ?? "The answer failed."}</p>
        ${hasContent && html`<p class="tiny">What had arrived until then is kept.</p>`}
      </div>
      <button type="button" class="button compact" onClick=${() => retryFailed(turn.id)}>Try again</button>
    </div>`;
  }
  if (answer.status === "stopped")
    return html`<p class="tiny faint">${hasContent ? "Stopped." : "Stopped before anything arrived."}</p>`;
  const { finishReason } = answer;
  if (!hasContent && answer.status === "done")
    return html`<p class="small faint">The answer is empty.</p>`;
  if (!finishReason || finishReason === "stop" || finishReason === "tool_calls") return null;
  return html`<p class="row"><span class="tag warn" title=${`finish_reason: ${finishReason}`}>${ENDINGS[finishReason] ?? finishReason}</span></p>`;
}

/** @type {Record<string, string>} */
const ENDINGS = {
  length: "Cut off: the limit of tokens was reached",
  content_filter: "Cut off by the provider's content filter",
};
