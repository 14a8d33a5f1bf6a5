/** The playground: a conversation with any model, and all that can be set about it. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Dialog } from "../components/dialog.js";
import { showToast } from "../components/toasts.js";
import { html } from "../html.js";
import { useShortcuts } from "../shortcuts.js";
import { keptSignal } from "../state/settings.js";
import { addImages, Composer, focusPrompt } from "./composer.js";
import { isRunning, startNew, stop } from "./conversation.js";
import { Head } from "./head.js";
import { imageFiles } from "./images.js";
import { watchLink } from "./link.js";
import { SettingsPanel } from "./settings_panel.js";
import { Thread } from "./thread.js";
import { useMedia } from "./use_media.js";

/** Whether the settings stand beside the conversation on wide screens. */
const isPanelKept = keptSignal("playground.panel", true);
const isDrawerOpen = signal(false);
const isCopyOpen = signal(false);
/** The dialog, which is loaded when it is first wanted. */
const copyAs = signal(/** @type {any} */ (null));
/** Narrower windows show the settings above the page. */
const WIDE = "(min-width: 1100px)";

async function openCopy() {
  isCopyOpen.value = true;
  copyAs.value ??= (await import("./copy_as.js")).CopyAs;
}

function closeCopy() {
  isCopyOpen.value = false;
}

export function Page() {
  useEffect(watchLink, []);
  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) focusPrompt();
  }, []);
  const isWide = useMedia(WIDE);
  const isPanelOpen = isWide && isPanelKept.value;
  const openPanel = () => {
    if (isWide) isPanelKept.value = true;
    else isDrawerOpen.value = true;
  };
  const togglePanel = () => {
    if (isWide) isPanelKept.value = !isPanelKept.value;
    else isDrawerOpen.value = true;
  };
  useShortcuts({
    "/": (event) => {
      event.preventDefault();
      focusPrompt();
    },
    Escape: () => {
      if (isRunning.peek()) stop();
    },
    "Alt+n": (event) => {
      event.preventDefault();
      startNew();
      focusPrompt();
    },
    "Alt+m": (event) => {
      event.preventDefault();
      document.getElementById("playground-model")?.click();
    },
  });
  return html`<div class="page-fill playground">
    <${Head} isPanelOpen=${isPanelOpen} onPanel=${togglePanel} onCopy=${openCopy} />
    <div class="playground-body">
      <${DropArea}><${Thread} /><${Composer} onSettings=${openPanel} /></${DropArea}>
      ${isPanelOpen && html`<aside class="settings-side" aria-label="Settings"><${SettingsPanel} /></aside>`}
    </div>
    ${
      isDrawerOpen.value &&
      !isWide &&
      html`<${Dialog} title="Settings" class="settings-drawer" onClose=${() => {
        isDrawerOpen.value = false;
      }}><${SettingsPanel} /></${Dialog}>`
    }
    ${isCopyOpen.value && copyAs.value && html`<${copyAs.value} onClose=${closeCopy} />`}
  </div>`;
}

/** The conversation, onto which pictures may be dropped. @param {{children?: unknown}} props */
function DropArea({ children }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  const depth = useRef(0);
  const mark = (/** @type {number} */ step) => {
    depth.current = Math.max(0, depth.current + step);
    ref.current?.classList.toggle("is-drop-target", depth.current > 0);
  };
  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  return html`<section class="conversation" ref=${ref} aria-label="Conversation"
    onDragEnter=${(/** @type {DragEvent} */ event) => hasFiles(event) && mark(1)}
    onDragLeave=${(/** @type {DragEvent} */ event) => hasFiles(event) && mark(-1)}
    onDragOver=${(/** @type {DragEvent} */ event) => hasFiles(event) && event.preventDefault()}
    onDrop=${(/** @type {DragEvent} */ event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      mark(-depth.current);
      const files = imageFiles(event.dataTransfer);
      if (files.length) addImages(files);
      else showToast("Only pictures can be attached", "warn");
    }}>${children}
    <div class="drop-hint" aria-hidden="true">Drop the pictures here</div>
  </section>`;
}
