/** The calls that the filters name: the rows of the table, and those that end meanwhile. */
import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { gatewayKey, getJson } from "../api/client.js";
import { filterIdentity, toApiQuery } from "./filters.js";
import { LiveTail } from "./live_tail.js";
import { PAGE_ROWS, RowWindow } from "./row_window.js";
import { openPanels } from "./state.js";

/** @typedef {import("./types.js").Row} Row */

const MAX_WAITING = 1000;
const FRESH_MS = 1600;
const RETRY_S = 5;
const UNAVAILABLE = 503;

export class CallList {
  /** @param {Record<string, string[]>} query of the API */
  constructor(query) {
    this.rows = new RowWindow((cursor, signal) =>
      getJson("api/logs", { query: { ...query, limit: PAGE_ROWS, cursor }, signal }),
    );
    this.tail = new LiveTail({
      query,
      onRows: (rows) => this.#take(rows),
      onGap: () => this.reload(),
    });
    /** Calls that ended while the table must not move. */
    this.waiting = signal(/** @type {Row[]} */ ([]));
    /** Whether the user looks at older rows. */
    this.isScrolled = false;
    /** Calls that have just come. @type {Set<string>} */
    this.fresh = new Set();
    /** Seconds until the next try after the ledger was unavailable. */
    this.retryIn = signal(0);
  }

  reload() {
    this.waiting.value = [];
    this.rows.restart();
  }

  /** Puts the calls that waited in front. */
  showWaiting() {
    const rows = this.waiting.value;
    this.waiting.value = [];
    if (rows.length >= MAX_WAITING) this.rows.restart();
    else this.#show(rows);
  }

  /** @param {Row[]} rows the oldest first */
  #take(rows) {
    const waiting = new Set(this.waiting.value.map((row) => row.call_id));
    const newest = rows
      .filter((row) => !waiting.has(row.call_id) && !this.rows.has(row.call_id))
      .reverse();
    if (!newest.length) return;
    if (this.isScrolled || openPanels.peek() > 0) {
      this.waiting.value = [...newest, ...this.waiting.value].slice(0, MAX_WAITING);
    } else this.#show([...newest, ...this.waiting.value]);
  }

  /** @param {Row[]} rows */
  #show(rows) {
    this.waiting.value = [];
    for (const row of rows) this.fresh.add(row.call_id);
    this.rows.prepend(rows);
    setTimeout(() => {
      for (const row of rows) this.fresh.delete(row.call_id);
    }, FRESH_MS);
  }

  /** Tries again by itself while the ledger cannot be read. @returns {() => void} ends it */
  watchError() {
    /** @type {ReturnType<typeof setInterval> | undefined} */
    let timer;
    const stop = this.rows.error.subscribe((error) => {
      clearInterval(timer);
      const status = /** @type {any} */ (error)?.status;
      if (status !== UNAVAILABLE && status !== 0) return;
      this.retryIn.value = RETRY_S;
      timer = setInterval(() => {
        this.retryIn.value -= 1;
        if (this.retryIn.value > 0) return;
        clearInterval(timer);
        this.rows.restart();
      }, 1000);
    });
    return () => {
      stop();
      clearInterval(timer);
    };
  }
}

/**
 * The list of the filters in `query`, followed while `isLive`.
 * @param {URLSearchParams} query
 * @param {boolean} isLive
 */
export function useCallList(query, isLive) {
  const identity = `${filterIdentity(query)} ${gatewayKey.value}`;
  const list = useMemo(() => new CallList(toApiQuery(query)), [identity]);
  useEffect(() => {
    list.rows.load();
    const stop = list.watchError();
    return () => {
      stop();
      list.rows.close();
      list.tail.stop();
    };
  }, [list]);
  const hasLoaded = list.rows.hasLoaded.value;
  useEffect(() => {
    if (!isLive || !hasLoaded) return;
    list.tail.start(list.rows.at(0));
    return () => list.tail.stop();
  }, [list, isLive, hasLoaded]);
  return list;
}
