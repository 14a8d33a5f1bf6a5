/** Two texts, with what differs marked. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Markdown } from "../components/markdown.js";
import { formatShare } from "../format.js";
import { html } from "../html.js";
import { diffTexts, sameShare } from "./word_diff.js";

/** @param {{before: string, after: string, side?: "before" | "after" | "both"}} props which of the two is shown */
export function DiffView({ before, after, side = "both" }) {
  const pieces = useSignal(
    /** @type {import("./word_diff.js").Piece[] | null | undefined} */ (undefined),
  );
  useEffect(() => {
    let isWanted = true;
    diffTexts(before, after).then((found) => {
      if (isWanted) pieces.value = found;
    });
    return () => {
      isWanted = false;
    };
  }, [before, after]);
  if (before === after && side === "both")
    return html`<p class="faint tiny">The same text</p><${Markdown} text=${after} />`;
  if (pieces.value === undefined) return html`<pre class="message-text">${after}</pre>`;
  if (pieces.value === null)
    return html`<p class="faint small">The texts are too different to mark.</p><pre class="message-text">${after}</pre>`;
  const hidden = side === "before" ? "added" : side === "after" ? "removed" : "";
  return html`${side !== "before" && html`<p class="faint tiny">${before === after ? "The same text" : `${formatShare(sameShare(pieces.value))} the same`}</p>`}
    <pre class="message-text diff">${pieces.value
      .filter((piece) => piece.kind !== hidden)
      .map((piece, at) =>
        piece.kind === "same"
          ? piece.text
          : piece.kind === "added"
            ? html`<ins key=${at}>${piece.text}</ins>`
            : html`<del key=${at}>${piece.text}</del>`,
      )}</pre>`;
}
