/** What stands below an answer that is over: why it ended, and what can be done with it. */
import { useSignal } from "@preact/signals";
import { send } from "../api/client.js";
import { IconButton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { copyText, showToast } from "../components/toasts.js";
import { formatCount, formatSeconds } from "../format.js";
import { html } from "../html.js";
import { routeHref } from "../state/router.js";
import { exact } from "./lane_figures.js";

/** @typedef {import("../streams/lane.js").Lane} Lane */

/** @param {{lane: Lane, session: import("./session.js").Session, isHidden: boolean}} props */
export function LaneFoot({ lane, session, isHidden }) {
  lane.version.value;
  const isDone = lane.status.value === "done";
  return html`<footer class="lane-foot">
    ${
      !isDone &&
      html`<span class="small grow ${lane.status.value === "failed" ? "asking-problem" : "quiet"}">${
        lane.status.value === "failed" ? "Failed" : "Stopped"
      }</span>
      <button type="button" class="button compact" onClick=${() => session.retry([lane])}><${Icon} name="retry" />Retry</button>`
    }
    ${
      isDone &&
      lane.finishReason &&
      lane.finishReason !== "stop" &&
      html`<span class="tag ${lane.finishReason === "tool_calls" ? "" : "warn"}"
      title="Why the answer ended">${lane.finishReason.replaceAll("_", " ")}</span>`
    }
    ${
      isDone &&
      !isHidden &&
      html`<span class="tiny faint number grow truncate">
      <span title=${exact(lane.metrics?.latency_s, "s")}>${formatSeconds(lane.metrics?.latency_s)}</span>${" · "}
      <span title="Tokens in and out">${formatCount(lane.metrics?.input_tokens)} → ${formatCount(lane.metrics?.output_tokens)}</span></span>`
    }
    ${isHidden && isDone && html`<span class="grow" />`}
    ${!isHidden && lane.transformations.length > 0 && html`<span class="tag" title=${`Changed for this provider:\n${lane.transformations.join("\n")}`}>adapted</span>`}
    ${!isHidden && isDone && lane.id && html`<${Thumbs} key=${lane.id} id=${lane.id} />`}
    ${
      !isHidden &&
      lane.id &&
      html`<a class="button icon compact plain" href=${routeHref("logs", [lane.id])} title="The record of this call" aria-label="The record of this call"><${Icon} name="logs" /></a>`
    }
    ${lane.text && html`<${IconButton} icon="copy" label="Copy the answer" class="plain compact" onClick=${() => copyText(lane.text, "Answer")} />`}
  </footer>`;
}

/** @param {{id: string}} props */
function Thumbs({ id }) {
  const given = useSignal(/** @type {number | null} */ (null));
  /** @param {number} score */
  const rate = async (score) => {
    given.value = score;
    try {
      await send("api/feedback", { body: { id, score, label: "compare" } });
    } catch (error) {
      given.value = null;
      showToast(`The rating was not kept: ${/** @type {Error} */ (error).message}`, "warn");
    }
  };
  return html`<${IconButton} icon="thumbUp" label="Good answer" class="plain compact" pressed=${given.value === 1} onClick=${() => rate(1)} />
    <${IconButton} icon="thumbDown" label="Bad answer" class="plain compact" pressed=${given.value === 0} onClick=${() => rate(0)} />`;
}
