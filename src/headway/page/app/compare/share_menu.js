/** What can be taken away: a link, commands, files, a picture. */
import { useSignal } from "@preact/signals";
import { Popover } from "../components/dialog.js";
import { Icon } from "../components/icon.js";
import { copyText, showToast } from "../components/toasts.js";
import { html } from "../html.js";
import { commandOf, curlOf, exportCsv, exportJson, fileStem, questionOf } from "./export.js";
import { saveFile } from "./files.js";
import { batch } from "./prompt_batch.js";
import { experiment, isHidden, linkHref, mode, order, session } from "./state.js";

export function ShareMenu() {
  const isOpen = useSignal(false);
  const parts = partsOf();
  const canSave = parts.length > 0 && !(mode.value === "one" && isHidden.value);
  const command = commandOf(experiment.value);
  const base = new URL(".", document.baseURI).href;
  const date =
    (mode.value === "one" ? session.value?.startedOn : batch.value?.startedOn) ?? new Date();
  const asked =
    (mode.value === "one" ? session.value?.experiment : batch.value?.experiment) ??
    experiment.value;
  /** @param {() => void} run */
  const pick = (run) => () => {
    isOpen.value = false;
    run();
  };
  const copyLink = async () => copyText(new URL(await linkHref(), document.baseURI).href, "Link");
  const savePicture = async () => {
    try {
      const { makePicture } = await import("./picture.js");
      if (session.value)
        saveFile(`${fileStem(date)}.png`, await makePicture(session.value, order.value));
    } catch (error) {
      showToast(`The picture could not be drawn: ${/** @type {Error} */ (error).message}`, "warn");
    }
  };
  const button = html`<button type="button" class="button" aria-expanded=${String(isOpen.value)} onClick=${() => {
    isOpen.value = !isOpen.value;
  }}>
    Share<${Icon} name="down" /></button>`;
  return html`<${Popover} button=${button} isOpen=${isOpen.value} onClose=${() => {
    isOpen.value = false;
  }} class="right share-menu">
    <${Choice} icon="link" text="Copy the link" onClick=${pick(copyLink)} />
    <${Choice} icon="copy" text="Copy as curl" onClick=${pick(() => copyText(curlOf(experiment.value, base), "Command"))} />
    <${Choice} icon="copy" text="Copy as headway compare" disabled=${!command} title=${command ? undefined : "The command line takes a prompt, not a conversation"}
      onClick=${pick(() => copyText(command ?? "", "Command"))} />
    <hr />
    <${Choice} icon="download" text="Save as CSV" disabled=${!canSave} onClick=${pick(() => saveFile(`${fileStem(date)}.csv`, exportCsv(parts), "text/csv"))} />
    <${Choice} icon="download" text="Save as JSON" disabled=${!canSave} onClick=${pick(() => saveFile(`${fileStem(date)}.json`, exportJson(asked, parts, date), "application/json"))} />
    ${mode.value === "one" && html`<${Choice} icon="image" text="Save as picture" disabled=${!canSave} onClick=${pick(savePicture)} />`}
  </${Popover}>`;
}

/** @param {{icon: string, text: string, onClick: () => void, disabled?: boolean, title?: string}} props */
function Choice({ icon, text, ...rest }) {
  return html`<button type="button" class="option" ...${rest}><${Icon} name=${icon} />${text}</button>`;
}

/** What was answered, by prompt. @returns {import("./export.js").Part[]} */
function partsOf() {
  if (mode.value === "many") {
    return (batch.value?.rows ?? []).flatMap((row) =>
      row.session ? [{ title: row.title, groups: row.session.groups }] : [],
    );
  }
  return session.value
    ? [{ title: questionOf(session.value.experiment), groups: session.value.groups }]
    : [];
}
