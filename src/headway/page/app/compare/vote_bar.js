/** The vote of a blind comparison: the names appear when it is cast. */
import { seriesColor } from "../components/color.js";
import { showToast } from "../components/toasts.js";
import { html } from "../html.js";
import { useShortcuts } from "../shortcuts.js";
import { letterOf } from "./experiment.js";
import { isHidden } from "./state.js";
import { castVote } from "./votes.js";

/** @param {{session: import("./session.js").Session, groups: (import("./session.js").Group & {place: number})[]}} props */
export function VoteBar({ session, groups }) {
  session.tick.value;
  const answered = groups.filter((group) =>
    group.lanes.some((lane) => lane.status.value === "done"),
  );
  const isReady = !session.isRunning.value && answered.length > 0;
  /** @param {"best" | "tie" | "none"} kind @param {number | null} index of the group that is best */
  const vote = (kind, index = null) => {
    if (!isReady) return;
    const winner = groups.find((group) => group.index === index)?.model ?? null;
    isHidden.value = false;
    showToast(winner ? `${winner} was the best` : "The vote is kept");
    castVote(
      answered.map(({ model, lanes }) => ({
        name: model,
        ids: lanes.flatMap((lane) => (lane.id && lane.status.value === "done" ? [lane.id] : [])),
      })),
      kind,
      winner,
    );
  };
  useShortcuts({
    ...Object.fromEntries(
      answered.map((group) => [
        letterOf(group.place).toLowerCase(),
        () => vote("best", group.index),
      ]),
    ),
    "=": () => vote("tie"),
    0: () => vote("none"),
  });
  return html`<section class="card vote-bar" aria-label="Vote">
    <p class="grow">${isReady ? "Which answer is the best? Names and figures appear when you have voted." : "Names and figures are hidden until you have voted."}</p>
    <div class="row wrap">
      ${groups.map(
        (
          group,
        ) => html`<button key=${group.index} type="button" class="button vote" disabled=${!isReady || !answered.includes(group)}
        style=${{ "--lane": `var(${seriesColor(group.place)})` }} onClick=${() => vote("best", group.index)}>
        <span class="swatch" style=${{ "--swatch": `var(${seriesColor(group.place)})` }} />${letterOf(group.place)}</button>`,
      )}
      <button type="button" class="button" disabled=${!isReady || answered.length < 2} onClick=${() => vote("tie")}>Equally good<kbd>=</kbd></button>
      <button type="button" class="button" disabled=${!isReady} onClick=${() => vote("none")}>None is good<kbd>0</kbd></button>
      <button type="button" class="button plain" disabled=${session.isRunning.value} onClick=${() => {
        isHidden.value = false;
      }}>Show without a vote</button>
    </div>
  </section>`;
}
