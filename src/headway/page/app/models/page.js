/** Models and providers: what is configured here, whether it works, and how it behaves. */
import { Segmented } from "../components/basics.js";
import { html } from "../html.js";
import { navigate, route, routeHref } from "../state/router.js";
import { Explain } from "./explain.js";
import { ModelList } from "./model_list.js";
import { Providers } from "./providers.js";
import { Routes } from "./routes.js";

const VIEWS = [
  { value: "models", label: "Models", view: ModelList },
  { value: "providers", label: "Providers", view: Providers },
  { value: "routes", label: "Routes", view: Routes },
  { value: "explain", label: "Explain", view: Explain },
];

export function Page() {
  const name = route.value.path[0] ?? "models";
  const chosen = VIEWS.find((one) => one.value === name) ?? VIEWS[0];
  return html`<div class="page">
    <header class="page-head">
      <h1>Models</h1>
      <${Segmented} label="View" value=${chosen.value} options=${VIEWS}
        onChange=${(/** @type {string} */ value) => navigate(routeHref("models", [value]))} />
    </header>
    <${chosen.view} />
  </div>`;
}
