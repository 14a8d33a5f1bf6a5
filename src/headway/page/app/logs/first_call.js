/** What the page shows before the first call: how to make one. */
import { address, gatewayKey } from "../api/client.js";
import { Empty } from "../components/basics.js";
import { copyText } from "../components/toasts.js";
import { html } from "../html.js";
import { models } from "../state/models.js";

export function FirstCall() {
  const model = models.value[0]?.id ?? "local/chat";
  const command = [
    `curl ${address("v1/chat/completions").href} \\`,
    ...(gatewayKey.value ? ['  -H "Authorization: Bearer $HEADWAY_KEY" \\'] : []),
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] })}'`,
  ].join("\n");
  return html`<div class="first-call"><${Empty} icon="logs" title="No calls yet">
    <p>Each call through the gateway appears here as it ends. Make one in the <a href="#/playground">playground</a>, or with:</p>
    <pre class="command" tabindex="0">${command}</pre>
    <button type="button" class="button" onClick=${() => copyText(command, "Command")}>Copy the command</button>
  </${Empty}></div>`;
}
