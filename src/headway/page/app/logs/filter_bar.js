/** The filters of the list: text, time, and a chip for each of the others. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { IconButton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { useShortcuts } from "../shortcuts.js";
import { FilterMenu } from "./filter_menu.js";
import {
  describeFilters,
  hasFilters,
  parametersOf,
  withoutFilters,
  withValues,
} from "./filters.js";
import { MenuButton } from "./menu.js";
import { showQuery, useHold } from "./state.js";
import { TimeMenu } from "./time_menu.js";
import { describeRange } from "./time_range.js";

/** @param {{query: URLSearchParams}} props */
export function FilterBar({ query }) {
  const chips = describeFilters(query);
  return html`<div class="filter-bar" role="search" aria-label="Filter the calls">
    <${TextFilter} query=${query} />
    <${MenuButton} label=${`Time range: ${describeRange(query)}`} icon="clock" text=${html`<span>${describeRange(query)}</span>`} panel="time-panel"
      class=${query.get("since") || query.get("until") ? "is-set" : ""}>
      ${(/** @type {() => void} */ close) => html`<${TimeMenu} query=${query} onDone=${close} />`}
    </${MenuButton}>
    ${chips.map((chip) => html`<${Chip} key=${chip.name} chip=${chip} query=${query} />`)}
    <${MenuButton} label="Add a filter" icon="plus" text="Filter" class="plain" panel="filter-panel">
      ${(/** @type {() => void} */ close) => html`<${FilterMenu} query=${query} onDone=${close} />`}
    </${MenuButton}>
    ${hasFilters(query) && html`<button type="button" class="button compact plain" onClick=${() => showQuery(withoutFilters(query))}>Clear</button>`}
  </div>`;
}

/** @param {{chip: {name: string, label: string, text: string}, query: URLSearchParams}} props */
function Chip({ chip, query }) {
  const remove = () =>
    showQuery(
      withValues(query, Object.fromEntries(parametersOf(chip.name).map((name) => [name, null]))),
    );
  return html`<span class="filter-chip">
    <${MenuButton} label=${`${chip.label} ${chip.text}`} title="Change this filter" class="plain filter-chip-text" panel="filter-panel"
      text=${html`<span class="filter-chip-label">${chip.label}</span>${" "}<span class="truncate">${chip.text}</span>`}>
      ${(/** @type {() => void} */ close) => html`<${FilterMenu} query=${query} name=${chip.name} onDone=${close} />`}
    </${MenuButton}>
    <${IconButton} icon="close" label=${`Remove the filter ${chip.label}`} class="plain compact filter-chip-remove" onClick=${remove} />
  </span>`;
}

const TYPING_MS = 300;

/** @param {{query: URLSearchParams}} props */
function TextFilter({ query }) {
  const asked = query.get("text") ?? "";
  const typed = useSignal(asked);
  const isFocused = useSignal(false);
  useHold(isFocused.value);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  useEffect(() => {
    if (document.activeElement !== input.current) typed.value = asked;
  }, [asked]);
  useEffect(() => () => clearTimeout(timer.current), []);
  useShortcuts({
    "/": (event) => {
      event.preventDefault();
      input.current?.focus();
    },
  });
  /** @param {string} text */
  const ask = (text) => showQuery(withValues(query, { text: text.trim() || null }));
  return html`<label class="text-filter">
    <${Icon} name="search" />
    <input ref=${input} class="input" type="search" placeholder="Words of a message or an error" aria-label="Search messages and errors"
      autocomplete="off" spellcheck=${false} value=${typed}
      onInput=${(/** @type {InputEvent} */ event) => {
        typed.value = /** @type {HTMLInputElement} */ (event.target).value;
        clearTimeout(timer.current);
        timer.current = setTimeout(() => ask(typed.value), TYPING_MS);
      }}
      onFocus=${() => {
        isFocused.value = true;
      }}
      onBlur=${() => {
        isFocused.value = false;
      }}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Escape" || event.key === "ArrowDown") {
          /** @type {HTMLElement | null} */ (document.querySelector(".call-table"))?.focus();
          event.preventDefault();
        } else if (event.key === "Enter") ask(typed.value);
      }} />
    ${!typed.value && html`<kbd>/</kbd>`}
  </label>`;
}
