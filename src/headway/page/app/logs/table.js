/**
 * The calls as rows. Only the rows in view are in the document, and only the pages near them in
 * memory, so a list of a million calls costs what a list of fifty does.
 */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { html } from "../html.js";
import { navigate } from "../state/router.js";
import { fitColumns, templateOf } from "./columns.js";
import { wantPreviews } from "./previews.js";
import { BlankRow, CallRow, CompactRow } from "./row.js";
import { PAGE_ROWS } from "./row_window.js";
import { callHref, columnChoices, listHref, openPanels, toggleChosen } from "./state.js";

const ROW_HEIGHT = 32;
const COMPACT_ROW_HEIGHT = 60;
const COMPACT_PROMPT_HEIGHT = 80;
const COMPACT_WIDTH = 480;
const OVERSCAN = 8;
const STEPS = /** @type {Record<string, number>} */ ({
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 15,
  PageUp: -15,
  j: 1,
  k: -1,
});

/** @param {{list: import("./call_list.js").CallList, openId: string | null}} props `openId`: the call that is open */
export function CallTable({ list, openId }) {
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const size = useSignal({ width: 0, height: 600 });
  const top = useSignal(0);
  const active = useSignal(openId);
  const { rows } = list;
  rows.version.value;
  const isCompact = size.value.width > 0 && size.value.width < COMPACT_WIDTH;
  const hasPrompts = useHasPrompts(list);
  const compactHeight = hasPrompts ? COMPACT_PROMPT_HEIGHT : COMPACT_ROW_HEIGHT;
  const height = isCompact ? compactHeight : ROW_HEIGHT;
  const { width } = size.value;
  const columns = useMemo(
    () => fitColumns(width, hasPrompts),
    [width, hasPrompts, columnChoices.value],
  );
  const hasMore = rows.length > 0 && !rows.isComplete && !rows.isFull;
  const first = Math.max(0, Math.floor(top.value / height) - OVERSCAN);
  const last = Math.min(
    rows.length - 1,
    Math.ceil((top.value + size.value.height) / height) + OVERSCAN,
  );
  const shown = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => ({
    index: first + at,
    row: rows.at(first + at),
  }));

  useLayoutEffect(
    () =>
      watchSize(scroller.current, (next) => {
        size.value = next;
      }),
    [],
  );
  useEffect(() => {
    rows.show(first, last);
    wantPreviews(
      hasPrompts && (isCompact || columns.some((column) => column.id === "prompt"))
        ? shown.flatMap(({ row }) => row ?? [])
        : [],
    );
  });
  useEffect(() => {
    if (openId) active.value = openId;
    const at = openId ? rows.indexOf(openId) : -1;
    if (at >= 0) reveal(scroller.current, at * height, height);
  }, [openId, height]);
  const isScrolled = top.value > height;
  const isHeld = openPanels.value > 0;
  useEffect(() => {
    list.isScrolled = isScrolled;
    if (!isScrolled && !isHeld && list.waiting.peek().length) list.showWaiting();
  }, [list, isScrolled, isHeld]);
  useEffect(() => {
    if (scroller.current) scroller.current.scrollTop = 0;
    top.value = 0;
  }, [list]);

  /** @param {number} index */
  const goTo = (index) => {
    const at = Math.max(0, Math.min(rows.length - 1, index));
    const row = rows.at(at);
    if (!row) return;
    active.value = row.call_id;
    if (openId) navigate(callHref(row.call_id), { replace: true });
    reveal(scroller.current, at * height, height);
  };
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = active.value === null ? -1 : rows.indexOf(active.value);
    const step = STEPS[event.key];
    if (step) goTo(at + step);
    else if (event.key === "Home") goTo(0);
    else if (event.key === "Enter" && active.value) navigate(callHref(active.value));
    else if (event.key === "x" && active.value) toggleChosen(active.value);
    else return;
    event.preventDefault();
  };
  /** @param {MouseEvent} event */
  const onClick = (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const id = /** @type {HTMLElement | null} */ (target.closest("[data-call]"))?.dataset.call;
    if (!id || target.closest("input, a") || event.ctrlKey || event.metaKey) return;
    if (getSelection()?.toString()) return;
    active.value = id;
    navigate(openId === id ? listHref() : callHref(id), { replace: openId !== null });
  };
  const RowView = isCompact ? CompactRow : CallRow;
  const scale = useScale(list);
  const isActiveHere = active.value !== null && rows.indexOf(active.value) >= 0;
  return html`<div class="call-table ${isCompact ? "is-compact" : ""}" ref=${scroller} role="grid" tabindex="0" aria-label="Calls"
    aria-rowcount=${rows.isComplete ? rows.length : -1} aria-activedescendant=${isActiveHere ? `call-${active.value}` : undefined}
    style=${{ "--columns": templateOf(columns) }}
    onKeyDown=${onKey} onClick=${onClick}
    onScroll=${() => {
      top.value = scroller.current?.scrollTop ?? 0;
    }}>
    ${
      !isCompact &&
      html`<div class="call-head" role="row">
      <span role="columnheader"><span class="visually-hidden">Choose to compare</span></span>
      ${columns.map((column) => html`<span key=${column.id} role="columnheader" class=${column.isNumber ? "right" : ""}>${column.label}</span>`)}
    </div>`
    }
    <div class="call-rows" role="rowgroup" style=${{ height: `${rows.length * height + (rows.isComplete ? 0 : height * 3)}px` }}>
      ${shown.map(({ index, row }) =>
        row
          ? html`<${RowView} key=${row.call_id} row=${row} index=${index} top=${index * height} height=${height} columns=${columns} scale=${scale} hasPrompt=${hasPrompts}
              isActive=${row.call_id === active.value} isOpen=${row.call_id === openId} isFresh=${list.fresh.has(row.call_id)} />`
          : html`<${BlankRow} key=${index} top=${index * height} height=${height} />`,
      )}
      ${hasMore && html`<${BlankRow} key="next" top=${rows.length * height} height=${height} />`}
    </div>
  </div>`;
}

/** Whether a call that is held has words to show. @param {import("./call_list.js").CallList} list */
function useHasPrompts(list) {
  const version = list.rows.version.value;
  return useMemo(
    () => list.rows.rowsHeld().some((row) => row.content === "full" || row.error?.message),
    [list, version],
  );
}

/** Seconds of a full latency bar: few calls of the first page take longer. @param {import("./call_list.js").CallList} list */
function useScale(list) {
  const scale = useRef({ list, seconds: 0 });
  if (scale.current.list !== list) scale.current = { list, seconds: 0 };
  if (!scale.current.seconds && list.rows.length) {
    const times = list.rows
      .rowsHeld()
      .slice(0, PAGE_ROWS)
      .flatMap((row) => row.latency_s ?? [])
      .sort((a, b) => a - b);
    scale.current.seconds = times[Math.floor(times.length * 0.9)] || 1;
  }
  return scale.current.seconds || 1;
}

/** @param {HTMLElement | null} element @param {(size: {width: number, height: number}) => void} onChange */
function watchSize(element, onChange) {
  if (!element) return;
  const measure = () => onChange({ width: element.clientWidth, height: element.clientHeight });
  measure();
  const observer = new ResizeObserver(measure);
  observer.observe(element);
  return () => observer.disconnect();
}

/** Scrolls as little as possible. @param {HTMLElement | null} scroller @param {number} start @param {number} height */
function reveal(scroller, start, height) {
  if (!scroller) return;
  const head =
    /** @type {HTMLElement | null} */ (scroller.querySelector(".call-head"))?.offsetHeight ?? 0;
  const room = scroller.clientHeight - head;
  if (start < scroller.scrollTop) scroller.scrollTop = start;
  else if (start + height > scroller.scrollTop + room) scroller.scrollTop = start + height - room;
}
