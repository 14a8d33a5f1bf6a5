/**
 * The rows of a list that is too long to hold: pages that are fetched by cursor as they come into
 * view, and dropped when they are far away. Calls that end meanwhile stand in front, in `head`.
 */
import { signal } from "@preact/signals";

/** @typedef {import("./types.js").Row} Row */
/**
 * @typedef {object} Page
 * @property {string | null} cursor
 * @property {number} start rows before it, without the head
 * @property {number} count rows
 * @property {Row[] | null} rows null: dropped
 */

export const PAGE_ROWS = 200;
/** Pages on each side of the view that are kept. */
const KEPT = 2;
const MAX_HEAD = 1000;
/** Rows that one list can scroll through: browsers limit the height of what scrolls. */
export const MAX_ROWS = 500_000;

export class RowWindow {
  #abort = new AbortController();
  /** Cursors of pages that are on their way. @type {Set<string | null>} */
  #pending = new Set();

  /**
   * @param {(cursor: string | null, signal: AbortSignal) => Promise<{data: Row[], next_cursor: string | null}>} fetchPage
   */
  constructor(fetchPage) {
    this.fetchPage = fetchPage;
    /** Calls that ended since the first page was fetched, the newest first. @type {Row[]} */
    this.head = [];
    /** @type {Page[]} */
    this.pages = [];
    /** The cursor behind the last page; null at the end. @type {string | null} */
    this.next = null;
    /** Changes whenever a frame should draw the rows again. */
    this.version = signal(0);
    this.error = signal(/** @type {import("../api/client.js").ApiError | Error | null} */ (null));
    this.hasLoaded = signal(false);
    /** When the first page came. */
    this.loadedAt = signal(0);
  }

  /** Rows that are known. */
  get length() {
    const last = this.pages[this.pages.length - 1];
    return this.head.length + (last ? last.start + last.count : 0);
  }

  get isComplete() {
    return this.pages.length > 0 && this.next === null;
  }

  /** Whether there is more than one list shows. */
  get isFull() {
    return this.next !== null && this.length >= MAX_ROWS;
  }

  /** Rows in memory. */
  get held() {
    return this.head.length + this.pages.reduce((sum, page) => sum + (page.rows?.length ?? 0), 0);
  }

  /** @param {number} index @returns {Row | null} null while its page is fetched */
  at(index) {
    if (index < this.head.length) return this.head[index] ?? null;
    const page = this.pages[this.#pageOf(index - this.head.length)];
    return page?.rows?.[index - this.head.length - page.start] ?? null;
  }

  /** Of a row in memory; -1 if there is none. @param {string} callId */
  indexOf(callId) {
    const inHead = this.head.findIndex((row) => row.call_id === callId);
    if (inHead >= 0) return inHead;
    for (const page of this.pages) {
      const at = page.rows?.findIndex((row) => row.call_id === callId) ?? -1;
      if (at >= 0) return this.head.length + page.start + at;
    }
    return -1;
  }

  /** Whether a call is among the newest. @param {string} callId */
  has(callId) {
    const isCall = (/** @type {Row} */ row) => row.call_id === callId;
    return this.head.some(isCall) || Boolean(this.pages[0]?.rows?.some(isCall));
  }

  /** Rows in memory, the newest first. */
  rowsHeld() {
    return [...this.head, ...this.pages.flatMap((page) => page.rows ?? [])];
  }

  load() {
    this.#fetch(null, 0);
  }

  /** Fetches what is in view and near it, and drops what is far. @param {number} first @param {number} last */
  show(first, last) {
    const offset = this.head.length;
    const from = Math.max(0, this.#pageOf(first - offset));
    const to = Math.max(0, this.#pageOf(last - offset));
    for (let at = Math.max(0, from - 1); at <= Math.min(to + 1, this.pages.length - 1); at += 1) {
      if (!this.pages[at].rows) this.#fetch(this.pages[at].cursor, at);
    }
    if (this.next !== null && !this.isFull && last + PAGE_ROWS / 2 >= this.length)
      this.#fetch(this.next, this.pages.length);
    for (let at = 1; at < this.pages.length; at += 1) {
      if (at < from - KEPT || at > to + KEPT) this.pages[at].rows = null;
    }
  }

  /** Puts calls that have just ended in front. @param {Row[]} rows */
  prepend(rows) {
    const fresh = rows.filter((row) => !this.has(row.call_id));
    if (!fresh.length) return;
    this.head = [...fresh, ...this.head].sort((a, b) => b.timestamp - a.timestamp);
    if (this.head.length > MAX_HEAD) this.restart();
    this.version.value += 1;
  }

  /** Begins again at the newest call. The rows stay until the new ones are there. */
  restart() {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#pending.clear();
    this.#fetch(null, 0);
  }

  close() {
    this.#abort.abort();
  }

  /** The page with this row. @param {number} index without the head */
  #pageOf(index) {
    let low = 0;
    let high = this.pages.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.pages[middle].start <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @param {string | null} cursor @param {number} at the number of the page */
  async #fetch(cursor, at) {
    if (this.#pending.has(cursor)) return;
    this.#pending.add(cursor);
    const { signal } = this.#abort;
    try {
      const found = await this.fetchPage(cursor, signal);
      if (!signal.aborted) this.#take(found, cursor, at);
    } catch (error) {
      if (!signal.aborted) this.error.value = /** @type {Error} */ (error);
    }
    if (signal.aborted) return;
    this.#pending.delete(cursor);
    this.version.value += 1;
  }

  /** @param {{data: Row[], next_cursor: string | null}} found @param {string | null} cursor @param {number} at */
  #take(found, cursor, at) {
    this.error.value = null;
    if (cursor === null) {
      this.head = [];
      this.pages = [];
      this.hasLoaded.value = true;
      this.loadedAt.value = Date.now();
    }
    if (at < this.pages.length) {
      this.pages[at].rows = found.data;
      return;
    }
    const last = this.pages[this.pages.length - 1];
    const start = last ? last.start + last.count : 0;
    this.pages.push({ cursor, start, count: found.data.length, rows: found.data });
    this.next = found.next_cursor;
  }
}
