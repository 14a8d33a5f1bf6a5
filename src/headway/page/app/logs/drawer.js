/** One call beside the list; on phones it covers the list. */
import { useRef } from "preact/hooks";
import { useResource } from "../api/resource.js";
import { ErrorNotice, IconButton, Skeleton } from "../components/basics.js";
import { html } from "../html.js";
import { navigate } from "../state/router.js";
import { CallDetails } from "./details.js";
import { callHref, drawerWidth, listHref } from "./state.js";

const LEAST = 420;
const LEAST_BESIDE = 360;

/** @param {{id: string, list: import("./call_list.js").CallList}} props */
export function Drawer({ id, list }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const { data, error, isLoading, reload } = useResource(`api/logs/${encodeURIComponent(id)}`);
  const found = /** @type {import("./types.js").Details | null} */ (data);
  const isHere = found && [found.id, found.call_id, found.request_id].includes(id);
  return html`<aside class="call-drawer" ref=${place} aria-label="One call" style=${{ "--drawer-width": `${drawerWidth.value}px` }}>
    <${Handle} place=${place} />
    <div class="call-drawer-bar">
      <${Steps} id=${id} list=${list} />
      <span class="grow" />
      <${IconButton} icon="close" label="Close (Escape)" class="plain compact" onClick=${() => navigate(listHref(), { replace: true })} />
    </div>
    ${
      error && !isLoading
        ? html`<div class="call-drawer-body"><${ErrorNotice} error=${error} onRetry=${reload} /></div>`
        : isHere
          ? html`<${CallDetails} key=${found.call_id} call=${found} />`
          : html`<div class="call-drawer-body"><${Skeleton} lines=${8} height="1.4em" /></div>`
    }
  </aside>`;
}

/** The calls before and after, in the list. @param {{id: string, list: import("./call_list.js").CallList}} props */
function Steps({ id, list }) {
  list.rows.version.value;
  const at = list.rows.indexOf(id);
  const newer = at > 0 ? list.rows.at(at - 1) : null;
  const older = at >= 0 ? list.rows.at(at + 1) : null;
  /** @param {import("./types.js").Row | null} row */
  const go = (row) => row && navigate(callHref(row.call_id), { replace: true });
  return html`<${IconButton} icon="up" label="The call after (newer)" class="plain compact" disabled=${!newer} onClick=${() => go(newer)} />
    <${IconButton} icon="down" label="The call before (older)" class="plain compact" disabled=${!older} onClick=${() => go(older)} />`;
}

/** The edge that is dragged to make the drawer wider. @param {{place: {current: HTMLElement | null}}} props */
function Handle({ place }) {
  /** @param {number} wanted */
  const resize = (wanted) => {
    const room = place.current?.parentElement?.clientWidth ?? 1200;
    drawerWidth.value = Math.round(Math.max(LEAST, Math.min(room - LEAST_BESIDE, wanted)));
  };
  /** @param {PointerEvent} event */
  const start = (event) => {
    const handle = /** @type {HTMLElement} */ (event.currentTarget);
    handle.setPointerCapture(event.pointerId);
    handle.onpointermove = (move) =>
      resize((place.current?.getBoundingClientRect().right ?? 0) - move.clientX);
    handle.onpointerup = () => {
      handle.onpointermove = null;
    };
  };
  return html`<div class="call-drawer-handle" role="separator" aria-orientation="vertical" aria-label="Width of the call" tabindex="0"
    aria-valuenow=${drawerWidth.value} aria-valuemin=${LEAST} aria-valuemax="1600" onPointerDown=${start}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      const step = { ArrowLeft: 40, ArrowRight: -40 }[event.key];
      if (step) resize(drawerWidth.value + step);
    }} />`;
}
