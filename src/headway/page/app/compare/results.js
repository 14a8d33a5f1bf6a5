/** A comparison that runs or has run: answers side by side, figures, race. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ErrorNotice } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { formatSeconds } from "../format.js";
import { html } from "../html.js";
import { letterOf } from "./experiment.js";
import { LaneCard } from "./lane_card.js";
import { RaceCard } from "./race_card.js";
import { ResultsTable } from "./results_table.js";
import { baseIndex, isHidden, order } from "./state.js";
import { VoteBar } from "./vote_bar.js";

/** @typedef {import("./session.js").Session} Session */

/** Lanes that are made in one frame: twenty at once would be a frame that is late. */
const MADE_AT_ONCE = 5;

/** How many of `total` are made by now: some more in each frame. @param {number} total */
function useGrowing(total) {
  const made = useSignal(MADE_AT_ONCE);
  useEffect(() => {
    if (made.value >= total) return;
    const frame = requestAnimationFrame(() => {
      made.value += MADE_AT_ONCE;
    });
    return () => cancelAnimationFrame(frame);
  }, [made.value, total]);
  return made.value;
}

/** @param {{session: Session}} props */
export function Results({ session }) {
  const expanded = useSignal(/** @type {number | null} */ (null));
  session.shape.value;
  const groups = order.value.map((at, place) => ({
    ...session.groups[at],
    place,
    shownName: isHidden.value ? `Model ${letterOf(place)}` : session.groups[at].name,
    color: isHidden.value ? place : session.groups[at].index,
  }));
  const open = groups.find((group) => group.index === expanded.value);
  const made = useGrowing(groups.length + 1);
  const shown = open ? [open] : groups.slice(0, made);
  const base = groups.find((group) => group.index === baseIndex.value);
  const size = open ? "one" : groups.length <= 4 ? "few" : groups.length <= 9 ? "many" : "lots";
  return html`<${RunBar} session=${session} groups=${groups} />
    ${session.error.value && html`<${ErrorNotice} error=${session.error.value} onRetry=${() => session.retry()} />`}
    <section class="lanes lanes-${size}" aria-label="Answers">
      ${shown.map(
        (
          group,
        ) => html`<${LaneCard} key=${group.index} session=${session} group=${group} lanes=${group.lanes}
        name=${group.shownName} color=${group.color} isHidden=${isHidden.value} isExpanded=${Boolean(open)}
        base=${base && base.index !== group.index ? base.lanes[0] : null}
        onExpand=${() => {
          expanded.value = open ? null : group.index;
        }} />`,
      )}
    </section>
    ${
      isHidden.value
        ? html`<${VoteBar} session=${session} groups=${groups} />`
        : made > groups.length && html`<${Scoreboard} session=${session} groups=${groups} />`
    }`;
}

/** @param {{session: Session, groups: any[]}} props */
function Scoreboard({ session, groups }) {
  session.tick.value;
  return html`<div class="scoreboard">
    <div class="card"><${ResultsTable} groups=${groups} /></div>
    <${RaceCard} groups=${groups} session=${session} />
  </div>`;
}

/** How far the comparison is. @param {{session: Session, groups: any[]}} props */
function RunBar({ session, groups }) {
  session.tick.value;
  const { lanes } = session;
  const over = lanes.filter((lane) => lane.isOver).length;
  const bad = lanes.filter(
    (lane) => lane.status.value === "failed" || lane.status.value === "stopped",
  );
  const longest = Math.max(0, ...lanes.map((lane) => lane.at)) / 1000;
  const isRunning = session.isRunning.value;
  const text = isRunning
    ? `${over} of ${lanes.length} answers`
    : `${lanes.length - bad.length} of ${lanes.length} answers, ${formatSeconds(longest)}`;
  return html`<div class="run-bar">
    <span class="small quiet number" role="status">${text}</span>
    <progress class="run-progress" value=${over} max=${lanes.length} aria-label="Answers that are complete" data-running=${String(isRunning)} />
    ${
      !isRunning &&
      bad.length > 0 &&
      html`<button type="button" class="button compact" onClick=${() => session.retry()}>
      <${Icon} name="retry" />Ask ${bad.length === 1 ? "the one" : `the ${bad.length}`} without an answer again</button>`
    }
    ${
      !isHidden.value &&
      groups.length > 1 &&
      html`<label class="row small quiet base-choice">Differences from
      <select class="select" value=${baseIndex.value ?? ""} onChange=${(
        /** @type {Event} */ event,
      ) => {
        const { value } = /** @type {HTMLSelectElement} */ (event.target);
        baseIndex.value = value === "" ? null : Number(value);
      }}>
        <option value="">none</option>
        ${groups.map((group) => html`<option key=${group.index} value=${group.index}>${group.name}</option>`)}
      </select></label>`
    }
  </div>`;
}
