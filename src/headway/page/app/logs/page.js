/** Logs. */
import { Empty } from "../components/basics.js";
import { html } from "../html.js";

export function Page() {
  return html`<div class="page"><${Empty} icon="logs" title="Logs" /></div>`;
}
