/**
 * The calls as they end, over one connection of server-sent events. It rests while the tab is
 * hidden, and goes on after the last call that it gave.
 */
import { signal } from "@preact/signals";
import { readEvents } from "../api/client.js";

const RETRY_MS = [1000, 2000, 5000, 15_000];
const TOO_MANY = 429;

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
    // The server goes on after the last call, so the beginning of the range means nothing here.
    const { since, ...rest } = query;
    this.query = rest;
    this.onRows = onRows;
    this.onGap = onGap;
    this.status = signal(/** @type {TailStatus} */ ("off"));
    /** The id of the last event: where the next connection goes on. */
    this.last = "";
    this.from = Date.now() / 1000;
  }

  /** @param {import("./types.js").Row | null} newest the newest call that is shown already */
  start(newest) {
    if (newest && !this.last) this.last = `${newest.timestamp}-${newest.call_id}`;
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
    if (!this.last) query.since = this.from.toFixed(3);
    /** @type {Record<string, string>} */
    const headers = this.last ? { "last-event-id": this.last } : {};
    try {
      const options = { query, headers, signal: abort.signal, onOpen: () => this.#opened() };
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
    for (const { event, data, id } of events) {
      if (id) this.last = id;
      if (event === "left_out") this.onGap();
      else if (event === "message") rows.push(JSON.parse(data));
    }
    if (rows.length) this.onRows(rows);
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
