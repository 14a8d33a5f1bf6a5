/** A searchable list that is driven by the keyboard: the command palette and the model picker. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";

const SHOWN = 200;
let count = 0;

/**
 * @typedef {{id: string, text: string, hint?: string, render?: () => unknown, selected?: boolean,
 *   keywords?: string}} Item
 */

/** Items whose text has all words, those where a word begins a part first. @param {Item[]} items @param {string} search */
export function findItems(items, search) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return items;
  const found = items.filter((item) => {
    const text = `${item.text} ${item.keywords ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const rank = (/** @type {Item} */ item) => {
    const at = item.text.toLowerCase().indexOf(words[0]);
    return at < 0 ? 2 : at === 0 || /[\s/:.-]/.test(item.text[at - 1]) ? 0 : 1;
  };
  return found.sort((a, b) => rank(a) - rank(b));
}

/**
 * @param {{label: string, items: Item[], onPick: (item: Item) => void, placeholder?: string,
 *   empty?: string, listClass?: string, makeItem?: (search: string) => Item | null}} props
 *   `makeItem` makes an item of what was typed, to stand behind those that were found
 */
export function SearchList({ label, items, onPick, placeholder, empty, listClass = "", makeItem }) {
  const search = useSignal("");
  const active = useSignal(0);
  const id = useRef(`list-${++count}`).current;
  const list = useRef(/** @type {HTMLDivElement | null} */ (null));
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const found = findItems(items, search.value).slice(0, SHOWN);
  const made = makeItem?.(search.value.trim());
  if (made) found.push(made);
  const at = Math.min(active.value, found.length - 1);
  useEffect(() => input.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    list.current?.querySelector('[data-active="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at, search.value]);
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step) {
      event.preventDefault();
      active.value = Math.max(0, Math.min(found.length - 1, at + step));
    } else if (event.key === "Enter" && found[at]) {
      event.preventDefault();
      onPick(found[at]);
    }
  };
  return html`<div>
    <input ref=${input} class="input" type="text" role="combobox" aria-expanded="true"
      aria-controls=${id} aria-activedescendant=${found[at] ? `${id}-${at}` : undefined}
      aria-label=${label} placeholder=${placeholder ?? label} autocomplete="off" spellcheck=${false}
      value=${search} onKeyDown=${onKey}
      onInput=${(/** @type {InputEvent} */ event) => {
        search.value = /** @type {HTMLInputElement} */ (event.target).value;
        active.value = 0;
      }} />
    <div ref=${list} id=${id} class="palette-list ${listClass}" role="listbox" aria-label=${label}>
      ${found.map(
        (
          item,
          index,
        ) => html`<div key=${item.id} id=${`${id}-${index}`} class="option" role="option"
          aria-selected=${String(Boolean(item.selected))} data-active=${String(index === at)}
          onPointerMove=${() => {
            active.value = index;
          }}
          onClick=${() => onPick(item)}>
          ${item.render ? item.render() : html`<span class="grow truncate">${item.text}</span>`}
          ${item.hint && html`<span class="faint tiny">${item.hint}</span>`}
        </div>`,
      )}
      ${!found.length && html`<p class="faint small" style=${{ padding: "12px" }}>${empty ?? "Nothing found."}</p>`}
    </div>
  </div>`;
}
