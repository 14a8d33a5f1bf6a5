/** The ranking over all blind votes of this browser. */
import { useSignal } from "@preact/signals";
import { Dialog } from "../components/dialog.js";
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { writeCsv } from "./export.js";
import { saveFile } from "./files.js";
import { rankModels } from "./ranking.js";
import { votes } from "./votes.js";

/** @param {{onClose: () => void}} props */
export function RankingDialog({ onClose }) {
  const isSure = useSignal(false);
  const ranks = rankModels(votes.value);
  const none = votes.value.filter((vote) => vote.kind === "none").length;
  const low = Math.min(...ranks.map((rank) => rank.low));
  const high = Math.max(...ranks.map((rank) => rank.high));
  const place = (/** @type {number} */ rating) => `${((rating - low) / (high - low || 1)) * 100}%`;
  const reset = () => {
    if (isSure.value) {
      votes.value = [];
      onClose();
    }
    isSure.value = true;
  };
  return html`<${Dialog} title="Ranking by blind votes" onClose=${onClose} class="ranking">
    <div class="dialog-body">
      <p class="quiet small">From ${votes.value.length} ${votes.value.length === 1 ? "vote" : "votes"} in this browser${none ? `, of which ${none} found no answer good and do not count` : ""}.
        400 points more mean that a model is preferred ten times as often. Lines are intervals of 95%; where they overlap, nothing is decided yet.</p>
      ${
        ranks.length > 0
          ? html`<div class="table-scroll"><table class="table">
        <thead><tr><th scope="col">Model</th><th scope="col" class="right">Rating</th><th scope="col">Interval</th>
          <th scope="col" class="right">Best</th><th scope="col" class="right">Votes</th></tr></thead>
        <tbody>${ranks.map(
          (rank) => html`<tr key=${rank.model}>
          <th scope="row" class="results-name" title=${rank.model}><span class="truncate">${rank.model}</span></th>
          <td class="right" title=${String(rank.rating)}>${rank.rating.toFixed(0)}</td>
          <td><div class="interval" title=${`${rank.low.toFixed(0)} to ${rank.high.toFixed(0)}`}>
            <span class="interval-line" style=${{ left: place(rank.low), right: `calc(100% - ${place(rank.high)})` }} />
            <span class="interval-dot" style=${{ left: place(rank.rating) }} /></div>
            <span class="tiny faint number">${rank.low.toFixed(0)} – ${rank.high.toFixed(0)}</span></td>
          <td class="right" title=${rank.ties ? `and ${rank.ties} ties` : undefined}>${rank.wins}</td><td class="right">${rank.votes}</td></tr>`,
        )}</tbody>
      </table></div>`
          : html`<p>No vote counts yet.</p>`
      }
      <div class="dialog-foot">
        <button type="button" class="button danger" onClick=${reset}>${isSure.value ? "Really forget all votes" : "Forget all votes"}</button>
        <span class="grow" />
        <button type="button" class="button" onClick=${() => saveFile("votes.csv", exportVotes(), "text/csv")}><${Icon} name="download" />CSV</button>
        <button type="button" class="button" onClick=${() => saveFile("votes.json", JSON.stringify({ votes: votes.value, ranking: ranks }, null, 2), "application/json")}>
          <${Icon} name="download" />JSON</button>
      </div>
    </div>
  </${Dialog}>`;
}

const exportVotes = () =>
  writeCsv([
    ["time", "vote", "winner", "models"],
    ...votes.value.map((vote) => [
      vote.time,
      vote.kind,
      vote.winner ?? "",
      vote.models.join(" | "),
    ]),
  ]);
