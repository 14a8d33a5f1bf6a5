/** An answer that is still arriving, in the form of one that is complete. */
import { describeTransformation, emptyAnswer } from "./saved_state.js";

/** @typedef {import("../streams/comparison.js").Comparison} Comparison @typedef {import("./turns.js").Answer} Answer */

/** What has arrived until now. @param {Comparison} run @returns {Answer} */
export function answerOf(run) {
  const lane = run.lanes[0];
  const { text, reasoning, reasoningDetails, metrics, cost } = lane;
  const { id, provider, servedModel, finishReason } = lane;
  const status = lane.status.peek();
  return {
    ...emptyAnswer(),
    ...{ text, reasoning, reasoningDetails, metrics, cost },
    ...{ id, provider, servedModel, finishReason },
    model: lane.model,
    status: status === "failed" || status === "done" ? status : "stopped",
    toolCalls: lane.toolCalls.filter(Boolean),
    error: lane.error,
    transformations: lane.transformations.map(describeTransformation),
    arrivals: lane.arrivals,
    thoughtMs: lane.thoughtMs,
  };
}
