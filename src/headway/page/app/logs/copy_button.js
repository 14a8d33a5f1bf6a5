/** A small button that copies a text. */
import { IconButton } from "../components/basics.js";
import { copyText } from "../components/toasts.js";
import { html } from "../html.js";

/** @param {{text: string, label: string}} props */
export const CopyButton = ({ text, label }) =>
  html`<${IconButton} icon="copy" label=${label} class="plain compact" onClick=${() => copyText(text)} />`;
