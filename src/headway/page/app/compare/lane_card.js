/** One model's answers: what it says, and how it says it, as it happens. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "../components/basics.js";
import { seriesColor } from "../components/color.js";
import { Icon } from "../components/icon.js";
import { Markdown } from "../components/markdown.js";
import { Rhythm } from "../components/rhythm.js";
import { html } from "../html.js";
import { Differences } from "./differences.js";
import { describeOverrides, splitModel } from "./experiment.js";
import { LaneFigures } from "./lane_figures.js";
import { LaneFoot } from "./lane_foot.js";

/** @typedef {import("../streams/lane.js").Lane} Lane */

const STATUS = /** @type {const} */ ({
  waiting: "Waiting for the first token",
  streaming: "Answering",
  done: "Complete",
  failed: "Failed",
  stopped: "Stopped",
});

/**
 * @param {{session: import("./session.js").Session, group: import("./session.js").Group, lanes: Lane[], name: string,
 *   color: number, isHidden: boolean, isExpanded: boolean, base: Lane | null, onExpand?: () => void}} props
 */
export function LaneCard({
  session,
  group,
  lanes,
  name,
  color,
  isHidden,
  isExpanded,
  base,
  onExpand,
}) {
  const run = useSignal(0);
  const lane = lanes[Math.min(run.value, lanes.length - 1)];
  lane.version.value;
  const status = lane.status.value;
  const [provider, model] = isHidden ? ["", name] : splitModel(group.entry.model);
  const own = isHidden ? "" : describeOverrides(group.entry);
  return html`<article class="card lane" data-status=${status} data-hidden=${String(isHidden)} style=${{ "--lane": `var(${seriesColor(color)})` }} aria-label=${name}>
    <header class="lane-head">
      <h2 class="lane-name" title=${name}><span class="truncate">${model}</span>
        ${!isHidden && group.copy > 1 && html`<span class="faint tiny">#${group.copy}</span>`}
        ${own && html`<span class="tag truncate">${own}</span>`}
        ${provider && html`<span class="faint tiny lane-provider">${provider}</span>`}</h2>
      ${
        lanes.length > 1 &&
        html`<${RunTabs} lanes=${lanes} active=${run.value} onPick=${(/** @type {number} */ at) => {
          run.value = at;
        }} />`
      }
      <span class="lane-status" title=${lane.isQueued && status === "waiting" ? "Waits until another answer is complete" : STATUS[status]}>
        <span class="visually-hidden">${STATUS[status]}</span></span>
      ${onExpand && html`<${IconButton} icon=${isExpanded ? "collapse" : "expand"} label=${isExpanded ? "Show all answers" : "Show this answer alone"} class="plain compact" onClick=${onExpand} />`}
    </header>
    ${
      !isHidden &&
      html`<${LaneFigures} lane=${lane} session=${session} />
      <${LaneRhythm} lane=${lane} session=${session} color=${seriesColor(color)} />`
    }
    <${LaneBody} lane=${lane} version=${lane.version.value} base=${base} name=${name} isHidden=${isHidden} />
    ${lane.isOver && html`<${LaneFoot} lane=${lane} session=${session} isHidden=${isHidden} />`}
  </article>`;
}

/** A pause that is not over yet is drawn from here on. */
const OPEN_MS = 250;

/** @param {{lane: Lane, session: import("./session.js").Session, color: string}} props */
function LaneRhythm({ lane, session, color }) {
  session.tick.value;
  const paused = lane.status.value === "streaming" ? performance.now() - lane.seenAt : 0;
  return html`<div class="lane-rhythm"><${Rhythm} arrivals=${lane.arrivals} version=${lane.version.value} color=${color}
    height=${24} openMs=${paused > OPEN_MS ? paused : 0} /></div>`;
}

/** @param {{lanes: Lane[], active: number, onPick: (at: number) => void}} props */
function RunTabs({ lanes, active, onPick }) {
  return html`<div class="run-tabs" role="group" aria-label="Runs">
    ${lanes.map(
      (
        lane,
        at,
      ) => html`<button key=${at} type="button" class="run-tab number" aria-pressed=${String(at === active)}
      data-status=${lane.status.value} aria-label=${`Run ${at + 1}: ${STATUS[lane.status.value]}`} onClick=${() => onPick(at)}>${at + 1}</button>`,
    )}
  </div>`;
}

/** Those that are scrolled in this frame: all at once, so that the page is laid out once. */
const scrolling = /** @type {Set<HTMLElement>} */ (new Set());

/** @param {HTMLElement} place */
function scrollToEnd(place) {
  if (!scrolling.size)
    queueMicrotask(() => {
      for (const one of scrolling) one.scrollTop = 1e9;
      scrolling.clear();
    });
  scrolling.add(place);
}

/**
 * The answer; it follows the text unless the reader scrolled up.
 * @param {{lane: Lane, version: number, base: Lane | null, name: string, isHidden: boolean}} props
 */
function LaneBody({ lane, version, base, name, isHidden }) {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const isFollowing = useRef(true);
  const wasStreaming = useRef(false);
  const isStreaming = lane.status.value === "streaming";
  useEffect(() => {
    if (ref.current && isFollowing.current && wasStreaming.current) scrollToEnd(ref.current);
    wasStreaming.current = isStreaming;
  }, [version, isStreaming]);
  useLayoutEffect(() => {
    isFollowing.current = true;
  }, [lane]);
  /** @param {Event} event */
  const onScroll = (event) => {
    const place = /** @type {HTMLDivElement} */ (event.currentTarget);
    isFollowing.current = place.scrollHeight - place.scrollTop - place.clientHeight < 40;
  };
  return html`<div class="lane-body" ref=${ref} onScroll=${onScroll} tabindex="0" role="region" aria-label=${`Answer of ${name}`}>
    ${
      lane.reasoning &&
      html`<details class="lane-reasoning" open=${isStreaming && !lane.text}><summary>Reasoning</summary>
      <p class="small quiet">${lane.reasoning}</p></details>`
    }
    ${
      base && !isStreaming
        ? html`<${Differences} from=${base.text} to=${lane.text} />`
        : lane.text && html`<${Markdown} text=${lane.text} isStreaming=${isStreaming} />`
    }
    ${lane.toolCalls.map(
      (
        call,
        at,
      ) => html`<div key=${at} class="lane-tool-call"><p class="row small"><${Icon} name="tool" /><strong>${call.name}</strong></p>
      <pre class="mono" tabindex="0">${call.arguments}</pre></div>`,
    )}
    ${
      lane.error &&
      html`<div class="notice bad lane-error" role="alert"><${Icon} name="warn" />
      <span class="grow">${isHidden ? "This model failed." : lane.error.message}</span></div>`
    }
    ${lane.status.value === "waiting" && html`<div class="lane-waiting" aria-hidden="true" />`}
  </div>`;
}
