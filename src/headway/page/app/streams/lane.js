/**
 * One model's answer while it arrives: what it said, when each event came, and what it cost. Fed
 * with the events of `POST /api/compare`; drawn at most once a frame.
 */
import { signal } from "@preact/signals";

/** @typedef {{id: string, name: string, arguments: string}} ToolCall */
/** @typedef {"waiting" | "streaming" | "done" | "failed" | "stopped"} LaneStatus */

export class Lane {
  /** @param {number} index @param {string} model as asked for @param {number} run */
  constructor(index, model, run = 0) {
    this.index = index;
    this.model = model;
    this.run = run;
    /** Changes whenever a frame should draw this lane again. */
    this.version = signal(0);
    this.status = signal(/** @type {LaneStatus} */ ("waiting"));
    this.text = "";
    this.reasoning = "";
    /** @type {any[]} what a provider wants back with the results of tools */
    this.reasoningDetails = [];
    /** Milliseconds since the start, of the first text or tool call. @type {number | null} */
    this.spokeAt = null;
    /** @type {ToolCall[]} */
    this.toolCalls = [];
    /** When content arrived: milliseconds since the start, one for each event. @type {number[]} */
    this.arrivals = [];
    /** Characters of content of each event. @type {number[]} */
    this.sizes = [];
    /** @type {Record<string, any> | null} the contract's metrics, in seconds and dollars */
    this.metrics = null;
    /** @type {Record<string, any> | null} */
    this.usage = null;
    /** @type {any} */
    this.cost = null;
    /** Dollars of all attempts, to the digit. @type {string | null} */
    this.costExact = null;
    /** @type {{message: string, type?: string, code?: string | null} | null} */
    this.error = null;
    /** @type {string | null} the id of the record */
    this.id = null;
    /** @type {string | null} */
    this.provider = null;
    /** @type {string | null} */
    this.servedModel = null;
    /** @type {string | null} */
    this.finishReason = null;
    /** @type {any[]} */
    this.transformations = [];
    /** Milliseconds since the start, of the last event. */
    this.at = 0;
    /** performance.now() at the last event with content. */
    this.seenAt = performance.now();
    /** What estimates of the cost need: US dollars for a million tokens. @type {Record<string, any> | null} */
    this.prices = null;
    /** Characters of the request, for the same. */
    this.askedSize = 0;
    /** Whether the lane starts only when another one is over. */
    this.isQueued = false;
  }

  /** How long the model reasoned before it spoke, or has until now. @returns {number | null} ms */
  get thoughtMs() {
    return this.reasoning ? (this.spokeAt ?? this.at) - this.arrivals[0] : null;
  }

  get isOver() {
    return this.status.value !== "waiting" && this.status.value !== "streaming";
  }

  /** @param {Record<string, any>} event of this lane */
  take(event) {
    if (typeof event.at_ms === "number") this.at = event.at_ms;
    if (event.type === "start") this.isQueued = event.waits === true;
    else if (event.type === "chunk") this.#takeChunk(event.chunk, event.at_ms);
    else if (event.type === "done") {
      this.id = event.id;
      this.provider = event.provider;
      this.servedModel = event.model;
      this.finishReason = event.finish_reason;
      this.usage = event.usage;
      this.metrics = event.metrics;
      this.cost = event.cost ?? null;
      this.costExact = event.cost_usd_exact ?? null;
      this.transformations = event.transformations ?? [];
      this.status.value = "done";
    } else if (event.type === "error") {
      this.error = event.error;
      this.id = event.id ?? null;
      this.status.value = "failed";
    }
  }

  /** @param {any} chunk an OpenAI chat.completion.chunk @param {number} at */
  #takeChunk(chunk, at) {
    const delta = chunk.choices?.[0]?.delta;
    if (chunk.choices?.[0]?.finish_reason) this.finishReason = chunk.choices[0].finish_reason;
    if (!delta) return;
    const reasoning = delta.reasoning_content ?? delta.reasoning ?? "";
    const text = delta.content ?? delta.refusal ?? "";
    let size = text.length + reasoning.length;
    this.text += text;
    this.reasoning += reasoning;
    if (delta.reasoning_details) this.reasoningDetails.push(...delta.reasoning_details);
    for (const part of delta.tool_calls ?? []) {
      const index = part.index ?? 0;
      this.toolCalls[index] ??= { id: "", name: "", arguments: "" };
      const call = this.toolCalls[index];
      call.id ||= part.id ?? "";
      call.name += part.function?.name ?? part.custom?.name ?? "";
      const piece = part.function?.arguments ?? part.custom?.input ?? "";
      call.arguments += piece;
      size += piece.length + (part.function?.name ? 1 : 0);
    }
    if (!size) return;
    this.arrivals.push(at);
    this.sizes.push(size);
    this.seenAt = performance.now();
    if (size > reasoning.length) this.spokeAt ??= at;
    if (this.status.value === "waiting") this.status.value = "streaming";
  }

  /** Ends a lane that the user stopped or whose connection broke. @param {Error | null} error */
  end(error) {
    if (this.isOver) return;
    if (error) this.error = { message: error.message };
    this.status.value = error ? "failed" : "stopped";
    this.version.value += 1;
  }
}
