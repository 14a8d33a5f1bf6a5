/** What one answer says differently from another, word by word. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Skeleton } from "../components/basics.js";
import { html } from "../html.js";

const TIMEOUT_MS = 500;

/** @typedef {{value: string, added?: boolean, removed?: boolean}} Part */

/** @param {{from: string, to: string}} props */
export function Differences({ from, to }) {
  const parts = useSignal(/** @type {Part[] | null | undefined} */ (undefined));
  useEffect(() => {
    let isCurrent = true;
    import("diff").then(({ diffWordsWithSpace }) => {
      const found = diffWordsWithSpace(from, to, { timeout: TIMEOUT_MS });
      if (isCurrent) parts.value = found ?? null;
    });
    return () => {
      isCurrent = false;
    };
  }, [from, to]);
  if (parts.value === undefined) return html`<${Skeleton} lines=${3} />`;
  if (parts.value === null)
    return html`<p class="small quiet">These answers have too little in common to mark differences.</p>`;
  if (from === to)
    return html`<p class="small quiet">The same, to the letter.</p><div class="differences">${to}</div>`;
  const added = count(parts.value, "added");
  const removed = count(parts.value, "removed");
  return html`<p class="small quiet number"><ins>+${added}</ins> <del>−${removed}</del> words</p>
    <div class="differences">${parts.value.map((part, at) =>
      part.added
        ? html`<ins key=${at}>${part.value}</ins>`
        : part.removed
          ? html`<del key=${at}>${part.value}</del>`
          : html`<span key=${at}>${part.value}</span>`,
    )}</div>`;
}

/** @param {Part[]} parts @param {"added" | "removed"} kind */
const count = (parts, kind) =>
  parts
    .filter((part) => part[kind])
    .reduce((sum, part) => sum + (part.value.match(/\S+/g)?.length ?? 0), 0);
