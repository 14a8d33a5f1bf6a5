/** Several models answering one request over one connection: `POST /api/compare`. */
import { batch, signal } from "@preact/signals";
import { readEvents } from "../api/client.js";
import { Lane } from "./lane.js";

/** A frame that took longer than this had too much to draw. */
const SLOW_FRAME_MS = 24;

export class Comparison {
  #abort = new AbortController();
  /** How many lanes one frame draws: as many as this machine manages. */
  #share = 4;
  #askedAt = 0;

  /**
   * @param {Record<string, any>} body of the request: that of a chat completion, with `models`, and
   *   `runs` of each
   */
  constructor(body) {
    this.body = body;
    /** @type {Lane[]} */
    this.lanes = [];
    for (const entry of body.models) {
      for (let run = 0; run < (body.runs ?? 1); run += 1) {
        const name = typeof entry === "string" ? entry : entry.model;
        this.lanes.push(new Lane(this.lanes.length, name, run));
      }
    }
    this.isRunning = signal(false);
    /** An error of the whole request. */
    this.error = signal(/** @type {Error | null} */ (null));
    /** @type {string | null} */
    this.id = null;
    /** performance.now() when the request was sent. */
    this.startedAt = 0;
    /** @type {Set<Lane>} those with events that are not drawn yet */
    this.changed = new Set();
    this.frame = 0;
  }

  /** Runs to the end. Never throws: errors are in `error` and in the lanes. */
  async run() {
    this.isRunning.value = true;
    this.startedAt = performance.now();
    try {
      const options = { body: this.body, signal: this.#abort.signal };
      for await (const events of readEvents("api/compare", options)) {
        for (const { data } of events) this.#take(JSON.parse(data));
      }
      this.#endAll(new Error("The answer ended too early."));
    } catch (error) {
      const isStopped = this.#abort.signal.aborted;
      if (!isStopped) this.error.value = /** @type {Error} */ (error);
      this.#endAll(isStopped ? null : /** @type {Error} */ (error));
    }
    cancelAnimationFrame(this.frame);
    this.isRunning.value = false;
    this.#draw();
  }

  /** Ends all lanes: the gateway cancels their requests. */
  stop() {
    this.#abort.abort();
  }

  /** @param {Record<string, any>} event */
  #take(event) {
    if (event.comparison) this.id = event.comparison;
    const lane = this.lanes[event.lane];
    if (!lane) return;
    lane.take(event);
    this.changed.add(lane);
    this.#askFrame();
  }

  /** Draws the lanes that have waited longest; the others follow in the next frames. */
  #draw() {
    const isSlow = performance.now() - this.#askedAt > SLOW_FRAME_MS;
    this.#share = Math.max(1, Math.min(this.lanes.length, this.#share + (isSlow ? -1 : 1)));
    const lanes = [...this.changed].slice(0, this.isRunning.peek() ? this.#share : undefined);
    batch(() => {
      for (const lane of lanes) lane.version.value += 1;
    });
    for (const lane of lanes) this.changed.delete(lane);
    this.frame = 0;
    if (this.changed.size) this.#askFrame();
  }

  #askFrame() {
    if (this.frame) return;
    this.#askedAt = performance.now();
    this.frame = requestAnimationFrame(() => this.#draw());
  }

  /** @param {Error | null} error */
  #endAll(error) {
    for (const lane of this.lanes) lane.end(error);
  }
}
