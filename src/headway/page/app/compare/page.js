/** Compare: one prompt, many models, every answer live beside the others. */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Segmented } from "../components/basics.js";
import { showToast } from "../components/toasts.js";
import { html } from "../html.js";
import { useShortcuts } from "../shortcuts.js";
import { route } from "../state/router.js";
import { Composer } from "./composer.js";
import { ManyPrompts } from "./many_prompts.js";
import { batch } from "./prompt_batch.js";
import { RankingDialog } from "./ranking_dialog.js";
import { Results } from "./results.js";
import { ShareMenu } from "./share_menu.js";
import { Start } from "./start.js";
import {
  experiment,
  mode,
  readAddress,
  session,
  start,
  startOver,
  stop,
  suggestModels,
  writeAddress,
} from "./state.js";
import { votes } from "./votes.js";

export function Page() {
  const isRankingOpen = useSignal(false);
  useEffect(() => {
    readAddress(route.value.query).catch(() =>
      showToast("The link does not hold a comparison", "warn"),
    );
  }, [route.value.query.toString()]);
  useEffect(writeAddress, [experiment.value]);
  useSignalEffect(suggestModels);
  useShortcuts({
    "/": focusPrompt,
    Escape: stopAll,
    "Alt+n": startOver,
    "Alt+m": (event) => {
      event.preventDefault();
      /** @type {HTMLElement | null} */ (document.querySelector(".add-model"))?.click();
    },
  });
  const isOne = mode.value === "one";
  return html`<div class="page compare">
    <header class="page-head compare-head">
      <h1>Compare</h1>
      <div class="row wrap">
        <${Segmented} label="Prompts" value=${mode.value} onChange=${(
          /** @type {"one"} */ value,
        ) => {
          mode.value = value;
        }}
          options=${[{ value: "one", label: "One prompt" }, { value: "many", label: "Many prompts" }]} />
        ${
          votes.value.length > 0 &&
          html`<button type="button" class="button" onClick=${() => {
            isRankingOpen.value = true;
          }}>
          Ranking <span class="faint number">${votes.value.length}</span></button>`
        }
        <${ShareMenu} />
      </div>
    </header>
    <${Composer} onSend=${start} />
    ${isOne ? (session.value ? html`<${Results} session=${session.value} />` : html`<${Start} />`) : html`<${ManyPrompts} />`}
    ${
      isRankingOpen.value &&
      html`<${RankingDialog} onClose=${() => {
        isRankingOpen.value = false;
      }} />`
    }
  </div>`;
}

/** @param {KeyboardEvent} event */
function focusPrompt(event) {
  event.preventDefault();
  document.getElementById("compare-prompt")?.focus();
}

function stopAll() {
  stop();
  batch.value?.stop();
}
