/** How a call ended: a dot, the status, and what went wrong. */
import { html } from "../html.js";

const TONES = /** @type {Record<string, string>} */ ({
  ok: "good",
  cancelled: "quiet",
  refused: "warn",
  error: "bad",
});

/** @param {{outcome: string}} row */
export const toneOf = (row) => TONES[row.outcome] ?? "quiet";

/** @param {{row: {outcome: string, status: number | null, error: import("./types.js").CallError | null}}} props */
export function StatusMark({ row }) {
  const problem = row.error?.type.replace(/_error$/, "").replaceAll("_", " ");
  const text = row.outcome === "ok" ? "" : (problem ?? row.outcome);
  return html`<span class="status-mark ${toneOf(row)}" title=${row.error?.message ?? row.outcome}>
    <span class="dot status-dot" /><span class="number">${row.status ?? row.outcome}</span>
    ${text && row.status !== null && html`<span class="truncate">${text}</span>`}</span>`;
}
