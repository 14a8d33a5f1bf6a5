/** The configured routes and how their targets are at the moment. */
import { useEffect } from "preact/hooks";
import { useResource } from "../api/resource.js";
import { Empty, ErrorNotice, Skeleton } from "../components/basics.js";
import { formatCount, formatSeconds, formatShare, formatSpeed } from "../format.js";
import { html } from "../html.js";
import { routeHref } from "../state/router.js";

const REFRESH_MS = 3000;
const STATES = /** @type {Record<string, {text: string, state: string}>} */ ({
  closed: { text: "in use", state: "good" },
  open: { text: "left alone", state: "bad" },
  half_open: { text: "being tried", state: "warn" },
});

export function Routes() {
  const { data, error, isLoading, reload } = useResource("api/routes");
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const states = /** @type {{data: any[], note: string} | null} */ (data);
  return html`<div class="stack">
    ${error && html`<${ErrorNotice} error=${error} onRetry=${reload} />`}
    ${!states && isLoading && html`<${Skeleton} lines=${4} height="4rem" />`}
    ${states?.data.length === 0 && html`<${NoRoutes} />`}
    ${states?.data.map((one) => html`<${RouteCard} key=${one.name} route=${one} />`)}
    ${states && states.data.length > 0 && html`<p class="small quiet">${states.note}</p>`}
  </div>`;
}

function NoRoutes() {
  const example = `models:
  smart:
    - openai/gpt-4.1
    - anthropic/claude-sonnet-4-5`;
  return html`<${Empty} icon="branch" title="No route is configured">
    <p>A route answers under one name with the first of its targets that works. In <code>headway.yaml</code>:</p>
    <pre class="route-example"><code>${example}</code></pre></${Empty}>`;
}

/** @param {{route: any}} props */
function RouteCard({ route }) {
  return html`<section class="card" aria-label=${`Route ${route.name}`}>
    <div class="card-head"><div class="row"><h2>${route.name}</h2><span class="tag">${route.strategy}</span></div>
      <a class="button plain compact" href=${routeHref("models", ["explain"], { model: route.name })}>Explain a request</a></div>
    <div class="table-scroll" tabindex="0" role="region" aria-label=${`Targets of ${route.name}`}><table class="table">
      <thead><tr><th>Target</th><th>State</th><th class="right">Weight</th><th class="right">Under way</th><th class="right">Failed lately</th>
        <th class="right">First token p50</th><th class="right">p95</th><th class="right">Speed</th><th>Keys</th></tr></thead>
      <tbody>${route.targets.map((/** @type {any} */ one) => html`<${Target} key=${one.target} target=${one} />`)}</tbody>
    </table></div>
    ${[
      ["When the prompt is too long", route.on_context_window],
      ["When content is refused", route.on_content_policy],
      ["Copies to", route.shadow && [route.shadow]],
    ].map(
      ([label, targets]) =>
        targets?.length > 0 &&
        html`<p key=${label} class="small quiet route-more">${label}: ${targets.map((/** @type {any} */ one) => html`<code>${one.target ?? one}</code> `)}</p>`,
    )}
  </section>`;
}

/** @param {{target: any}} props */
function Target({ target }) {
  const { text, state } = STATES[target.is_being_tried ? "half_open" : target.state] ?? {
    text: target.state,
    state: "",
  };
  return html`<tr>
    <td><code>${target.target}</code>${target.condition && html`<div class="tiny faint">${target.condition}</div>`}</td>
    <td><span class="tag ${state}">${text}${target.left_alone_s > 0 && ` for ${formatSeconds(target.left_alone_s)}`}</span></td>
    <td class="right">${formatCount(target.weight)}</td>
    <td class="right">${formatCount(target.outstanding)}</td>
    <td class="right">${formatShare(target.error_share)}</td>
    <td class="right">${formatSeconds(target.streams?.p50_s)}</td>
    <td class="right">${formatSeconds(target.streams?.p95_s)}</td>
    <td class="right">${formatSpeed(target.streams?.tokens_per_second)}</td>
    <td>${target.keys?.map((/** @type {any} */ key) => html`<span key=${key.id} class="tag ${key.is_left_alone ? "bad" : ""}" title=${key.is_left_alone ? `Left alone for ${formatSeconds(key.left_alone_s)}` : "In use"}>${key.id}</span> `)}</td>
  </tr>`;
}
