/** Line icons on a grid of 24 units, drawn for this page. */
import { html } from "../html.js";

/** @type {Record<string, string>} path data */
const PATHS = {
  chat: "M4 5h16v11H10l-4 4v-4H4z",
  compare: "M4 4h4v16H4zM10 4h4v16h-4zM16 4h4v16h-4z",
  dashboard: "M4 20V10M10 20V4M16 20v-8M4 20h17",
  logs: "M4 6h16M4 12h16M4 18h10",
  models: "M12 3 4 7.5v9L12 21l8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5 10 17.5 19 7",
  down: "M6 9l6 6 6-6",
  right: "M9 6l6 6-6 6",
  left: "M15 6l-6 6 6 6",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  edit: "M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4",
  retry: "M4 12a8 8 0 1 0 2.5-5.8M4 4v4.5h4.5",
  branch: "M7 4v16M7 13c0-4 10-2 10-7M17 6V4M5 4h4M15 4h4",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M14 4.5v5M6 14.5v5",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5",
  key: "M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 12l8-8M16 7l3 3",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5 19 19M19 5l-1.5 1.5M6.5 17.5 5 19",
  moon: "M20 14.5A8 8 0 1 1 9.5 4a6.5 6.5 0 0 0 10.5 10.5z",
  auto: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 4v16M12 8h6.5M12 12h8M12 16h6.5",
  docs: "M6 3h9l4 4v14H6zM14 3v5h5M9 13h7M9 17h7",
  image: "M4 5h16v14H4zM4 16l5-5 5 5 2-2 4 4M15 8.5h.01",
  tool: "M14 6a4 4 0 0 0 5 5l-9 9-4-4 9-9M14 6l3-2 3 3-2 3",
  warn: "M12 4 3 20h18zM12 10v5M12 17.5h.01",
  info: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 11v5M12 8h.01",
  link: "M10 14l4-4M8.5 11 6 13.5a3.5 3.5 0 0 0 5 5l2.5-2.500M15.5 13 18 10.500a3.5 3.5 0 0 0-5-5L10.5 8",
  download: "M12 4v11M7 11l5 5 5-5M4 20h16",
  filter: "M4 5h16l-6 7v6l-4 2v-8z",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7-10-7-10-7zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  hidden:
    "M4 4l16 16M9.5 5.500C16 4 22 12 22 12s-1.5 2.7-4 4.700M6 7.500C3.5 9.5 2 12 2 12s4 7 10 7c1.3 0 2.5-.3 3.6-.8",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  play: "M7 4l13 8-13 8z",
  pause: "M8 5v14M16 5v14",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  bolt: "M13 3 5 14h6l-1 7 8-11h-6z",
  up: "M6 15l6-6 6 6",
  thumbUp:
    "M7 11v9H4v-9zM7 11l4-8c2 0 3 1 2.5 3.500L13 10h6a1.5 1.5 0 0 1 1.5 2l-2 7a1.5 1.5 0 0 1-1.5 1H7",
  thumbDown:
    "M7 13V4H4v9zM7 13l4 8c2 0 3-1 2.5-3.500L13 14h6a1.5 1.5 0 0 0 1.5-2l-2-7A1.5 1.5 0 0 0 17 4H7",
  code: "M9 7l-5 5 5 5M15 7l5 5-5 5",
  panel: "M4 5h16v14H4zM14 5v14",
  expand: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  collapse: "M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 2",
  columns: "M4 5h16v14H4zM10 5v14M15 5v14",
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
};

/** @param {{name: string, label?: string}} props with a label it is read aloud, else it is decoration */
export function Icon({ name, label }) {
  const aria = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return html`<svg class="icon-svg" viewBox="0 0 24 24" ...${aria}><path d=${PATHS[name]} /></svg>`;
}

/** The mark of Headway. */
export function Mark() {
  return html`<svg viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" fill="#0b6e4f" />
    <g fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
      <path d="M6 9v14M26 9v14" />
      <path d="M11 16h10M13.5 13 10.5 16l3 3M18.5 13l3 3-3 3" />
    </g>
  </svg>`;
}
