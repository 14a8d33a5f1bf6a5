/** The turns of the conversation, from the first to the last, kept at the end while answers arrive. */
import { useEffect } from "preact/hooks";
import { ErrorNotice, Skeleton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { Answer } from "./answer.js";
import { path } from "./conversation.js";
import { isOpening, linkError, linkNotice } from "./link.js";
import { useStickToEnd } from "./use_stick_to_end.js";
import { UserTurn } from "./user_turn.js";
import { Welcome } from "./welcome.js";

export function Thread() {
  const turns = path.value;
  const { scroller, content, isAtEnd, jumpToEnd } = useStickToEnd(turns.length > 0);
  const lastAsked = turns.findLast((turn) => turn.role !== "assistant")?.id;
  useEffect(() => {
    if (lastAsked) jumpToEnd();
  }, [lastAsked]);
  return html`<div class="thread-place">
    <div class="thread-scroll" ref=${scroller} tabindex="0" role="region" aria-label="Messages">
      <div class="thread" ref=${content}>
        ${linkError.value && html`<${ErrorNotice} error=${new Error(linkError.value)} />`}
        ${isOpening.value && html`<${Skeleton} lines=${5} height="1.4em" />`}
        ${!turns.length && !isOpening.value && html`<${Welcome} />`}
        ${turns.map((turn, at) => {
          // Alternatives of a turn are drawn by one component, so that its buttons keep the focus.
          const key = `${turn.parent} ${turn.role}`;
          if (turn.role === "user") return html`<${UserTurn} key=${key} turn=${turn} />`;
          if (turn.role === "tool") return null;
          const next = turns[at + 1];
          return html`<${Answer} key=${key} turn=${turn} given=${next?.role === "tool" ? next : null} isLast=${!next} />`;
        })}
        ${turns.length > 0 && linkNotice.value && html`<p class="tiny faint link-notice"><${Icon} name="info" />${linkNotice.value}</p>`}
      </div>
    </div>
    ${
      !isAtEnd &&
      html`<button type="button" class="button compact jump" onClick=${jumpToEnd}>
        <${Icon} name="down" />Jump to the end</button>`
    }
  </div>`;
}
