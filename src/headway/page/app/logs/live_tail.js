/**
 * The calls as they end, over one connection of server-sent events. It rests while the tab is
 * hidden, and goes on where it was. A call may be stored after one that ended later, so each
 * connection begins a moment before: whoever takes the calls leaves out those that are known.
 */
import { signal } from "@preact/signals";
import { readEvents } from "../api/client.js";

const RETRY_MS = [1000, 2000, 5000, 15_000];
const TOO_MANY = 429;
const OVERLAP_S = 10;
/** Where no call was known, one of this time is new. It bears a clock that is wrong. */
const EMPTY_S = 3600;

/** @typedef {"off" | "connecting" | "live" | "resting" | "lost" | "full"} TailStatus */

export class LiveTail {
  /** @type {AbortController | null} */
  #abort = null;
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {object} options
   * @param {Record<string, string[]>} options.query filters of the API
   * @param {(rows: import("./types.js").Row[]) => void} options.onRows
   * @param {() => void} options.onGap more calls ended than were sent
   */
  constructor({ query, onRows, onGap }) {
    this.query = query;
    this.onRows = onRows;
    this.onGap = onGap;
    this.status = signal(/** @type {TailStatus} */ ("off"));
    /** When the newest call that is known ended, in Unix seconds. @type {number | null} */
    this.newest = null;
    this.from = Math.floor(Date.now() / 1000) - EMPTY_S;
  }

  /** @param {import("./types.js").Row | null} newest the newest call that is shown already */
  start(newest) {
    this.newest ??= newest?.timestamp ?? null;
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#connect();
  }

  stop() {
    document.removeEventListener("visibilitychange", this.#onVisibility);
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
    this.status.value = "off";
  }

  #onVisibility = () => {
    if (document.hidden) {
      clearTimeout(this.#timer);
      this.#abort?.abort();
      this.status.value = "resting";
    } else if (this.status.value === "resting") this.#connect();
  };

  async #connect() {
    if (document.hidden) {
      this.status.value = "resting";
      return;
    }
    const abort = new AbortController();
    this.#abort = abort;
    this.status.value = "connecting";
    /** @type {Record<string, unknown>} */
    const query = { ...this.query, follow: "1" };
    if (this.newest !== null) query.since = this.newest - OVERLAP_S;
    else query.since ??= this.from;
    try {
      const options = { query, signal: abort.signal, onOpen: () => this.#opened() };
      for await (const events of readEvents("api/logs", options)) this.#take(events);
      this.#retry(false);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#retry(/** @type {any} */ (error).status === TOO_MANY);
    }
  }

  #opened() {
    this.#failures = 0;
    this.status.value = "live";
  }

  /** @param {{event: string, data: string, id: string}[]} events */
  #take(events) {
    /** @type {import("./types.js").Row[]} */
    const rows = [];
    for (const { event, data } of events) {
      if (event === "left_out") this.onGap();
      else if (event === "message") rows.push(JSON.parse(data));
    }
    if (!rows.length) return;
    this.newest = Math.max(this.newest ?? 0, ...rows.map((row) => row.timestamp));
    this.onRows(rows);
  }

  /** @param {boolean} isFull as many clients follow as the server allows */
  #retry(isFull) {
    this.status.value = isFull ? "full" : "lost";
    const wait =
      RETRY_MS[isFull ? RETRY_MS.length - 1 : Math.min(this.#failures, RETRY_MS.length - 1)];
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#connect(), wait);
  }
}
