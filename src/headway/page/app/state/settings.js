/** Settings of this browser: kept in local storage. No content and no key is among them. */
import { effect, signal } from "@preact/signals";

/**
 * A signal whose value outlives the page.
 * @template T
 * @param {string} name
 * @param {T} initial
 */
export function keptSignal(name, initial) {
  const key = `headway.${name}`;
  const kept = signal(read(key, initial));
  effect(() => {
    try {
      localStorage.setItem(key, JSON.stringify(kept.value));
    } catch {
      // Private windows may refuse; the setting then lasts as long as the page.
    }
  });
  return kept;
}

/** @template T @param {string} key @param {T} initial @returns {T} */
function read(key, initial) {
  try {
    const text = localStorage.getItem(key);
    return text === null ? initial : JSON.parse(text);
  } catch {
    return initial;
  }
}

/** "light", "dark", or "auto": as the system. */
export const theme = keptSignal("theme", "auto");

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

/** Whether the page is drawn dark now. */
export function isDark() {
  return theme.value === "auto"
    ? matchMedia("(prefers-color-scheme: dark)").matches
    : theme.value === "dark";
}
