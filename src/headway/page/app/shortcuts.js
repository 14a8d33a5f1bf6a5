/** Keyboard shortcuts that work on every page. Pages add their own with `useShortcuts`. */
import { useEffect } from "preact/hooks";
import { Dialog } from "./components/dialog.js";
import { html } from "./html.js";

const GO = /** @type {Record<string, string>} */ ({
  p: "playground",
  c: "compare",
  d: "dashboard",
  l: "logs",
  m: "models",
});
const SEQUENCE_MS = 1200;

/** [keys, what they do] */
const HELP = [
  ["Ctrl K", "Go to a page, a model or a command"],
  ["G then P, C, D, L, M", "Playground, Compare, Dashboard, Logs, Models"],
  ["/", "Focus the prompt or the search of the page"],
  ["Enter", "Send the prompt; Shift Enter makes a new line"],
  ["Escape", "Stop the answers, or close what is open"],
  ["Alt N", "New conversation or comparison"],
  ["Alt M", "Choose models"],
  ["↑ ↓ Enter X", "In the logs: move, open, choose to compare"],
  ["?", "This list"],
];

/** Whether the user is typing. @param {EventTarget | null} target */
const isTyping = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** @param {{openPalette: () => void, openHelp: () => void, goTo: (page: string) => void}} actions */
export function watchShortcuts({ openPalette, openHelp, goTo }) {
  let goUntil = 0;
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "?") openHelp();
    else if (performance.now() < goUntil && GO[event.key]) {
      event.preventDefault();
      goTo(GO[event.key]);
    }
    goUntil = event.key === "g" ? performance.now() + SEQUENCE_MS : 0;
  });
}

/**
 * Shortcuts of a page while it is shown.
 * @param {Record<string, (event: KeyboardEvent) => void>} shortcuts by key: `/`, `Escape`, `Alt+n`.
 *   Plain characters do nothing while the user types.
 */
export function useShortcuts(shortcuts) {
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const onKey = (event) => {
      if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
      // With Alt some keyboards give another character.
      const key = event.altKey && /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : event.key;
      const name = `${event.altKey ? "Alt+" : ""}${key.length === 1 ? key.toLowerCase() : key}`;
      const isPlain = event.key.length === 1 && !event.altKey;
      if (event.ctrlKey || event.metaKey || !shortcuts[name] || (isPlain && isTyping(event.target)))
        return;
      shortcuts[name](event);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
}

/** @param {{onClose: () => void}} props */
export function ShortcutHelp({ onClose }) {
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${onClose}>
    <div class="dialog-body"><table class="table"><tbody>
      ${HELP.map(([keys, what]) => html`<tr key=${keys}><td><kbd>${keys}</kbd></td><td>${what}</td></tr>`)}
    </tbody></table></div>
  </${Dialog}>`;
}
