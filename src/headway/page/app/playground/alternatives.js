/** Switches between the alternatives of a turn: 2/3. */
import { IconButton } from "../components/basics.js";
import { html } from "../html.js";
import { choose, tree } from "./conversation.js";
import { alternativesOf } from "./turns.js";

/** @param {{turn: import("./turns.js").Turn}} props */
export function Alternatives({ turn }) {
  const all = alternativesOf(tree.value, turn);
  if (all.length < 2) return null;
  const at = all.findIndex((one) => one.id === turn.id);
  // Not `disabled`: a button that is keeps no focus, and the next press of the key would be lost.
  const go = (/** @type {number} */ step) => () => all[at + step] && choose(all[at + step].id);
  return html`<div class="alternatives" role="group" aria-label="Alternatives">
    <${IconButton} icon="left" label="Previous alternative" class="plain compact" aria-disabled=${String(at === 0)}
      onClick=${go(-1)} />
    <span class="tiny number" aria-live="polite">${at + 1}/${all.length}</span>
    <${IconButton} icon="right" label="Next alternative" class="plain compact" aria-disabled=${String(at === all.length - 1)}
      onClick=${go(1)} />
  </div>`;
}
