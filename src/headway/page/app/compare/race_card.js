/** The race on the page: drawn while it is run, read by pointing or with the arrow keys. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { resolveColor, seriesColor } from "../components/color.js";
import { formatCount, formatSeconds } from "../format.js";
import { html } from "../html.js";
import { theme } from "../state/settings.js";
import { splitModel } from "./experiment.js";
import { drawRace, frameOf, valueAt } from "./race_drawing.js";
import { makeLines } from "./race_lines.js";

const HEIGHT = 250;
const READ_LINES = 12;

/** @param {{groups: any[], session: import("./session.js").Session}} props */
export function RaceCard({ groups, session }) {
  const ref = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const cursor = useSignal(/** @type {number | null} */ (null));
  const latest = useRef(/** @type {() => void} */ (() => {}));
  const { lines, unit } = makeLines(
    groups,
    (color) => resolveColor(seriesColor(color)),
    (lane) => session.elapsed(lane),
  );
  const look = lookOf(ref.current, unit);
  const draw = () => {
    if (ref.current) drawOn(ref.current, lines, unit, cursor.value);
  };
  latest.current = draw;
  theme.value;
  useEffect(draw);
  useEffect(() => {
    const canvas = ref.current;
    if (!canvas) return;
    const redraw = () => latest.current();
    const observer = new ResizeObserver(redraw);
    observer.observe(canvas);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", redraw);
    };
  }, []);
  /** @param {PointerEvent} event */
  const point = (event) => {
    const canvas = /** @type {HTMLCanvasElement} */ (event.currentTarget);
    const frame = frameOf(lines, lookOf(canvas, unit));
    const share = (event.clientX - canvas.getBoundingClientRect().left - frame.left) / frame.width;
    cursor.value = share < 0 || share > 1 ? null : share * frame.maxTime;
  };
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    const step = { ArrowRight: 0.02, ArrowLeft: -0.02 }[event.key];
    if (event.key === "Escape" && cursor.value !== null) cursor.value = null;
    else if (step) {
      const { maxTime } = frameOf(lines, look);
      cursor.value = Math.max(0, Math.min(maxTime, (cursor.value ?? 0) + step * maxTime));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<section class="card race" aria-label="Race">
    <div class="race-head"><h2>Race</h2><span class="tiny faint">${unit} over time; circles are first tokens, bars are stalls</span></div>
    <div class="race-place">
      <canvas ref=${ref} class="race-canvas" style=${{ height: `${HEIGHT}px` }} tabindex="0" role="img" aria-label=${describe(lines, unit)}
        onPointerMove=${point} onPointerDown=${point} onPointerLeave=${() => {
          cursor.value = null;
        }} onKeyDown=${onKey} />
      ${cursor.value !== null && html`<${Reading} lines=${lines} time=${cursor.value} unit=${unit} frame=${frameOf(lines, look)} />`}
    </div>
  </section>`;
}

/** @param {{lines: any[], time: number, unit: string, frame: import("./race_drawing.js").Frame}} props */
function Reading({ lines, time, unit, frame }) {
  const values = lines
    .map((line) => ({ line, value: valueAt(line, time) }))
    .sort((a, b) => b.value - a.value);
  const share = time / frame.maxTime;
  const side =
    share > 0.5
      ? { right: `${(1 - share) * frame.width + 26}px` }
      : { left: `${frame.left + share * frame.width + 12}px` };
  return html`<div class="race-reading" style=${side} role="status">
    <p class="number">${formatSeconds(time / 1000)}</p>
    ${values.slice(0, READ_LINES).map(
      ({
        line,
        value,
      }) => html`<p key=${line.name} class="row"><span class="swatch" style=${{ "--swatch": line.color }} />
      <span class="grow truncate">${splitModel(line.name)[1]}</span><span class="number">${formatCount(value)}</span></p>`,
    )}
    ${values.length > READ_LINES && html`<p class="faint">and ${values.length - READ_LINES} more</p>`}
    <p class="visually-hidden">${unit}</p></div>`;
}

/** @param {HTMLCanvasElement | null} canvas @param {string} unit @returns {import("./race_drawing.js").Look} */
function lookOf(canvas, unit) {
  return {
    width: canvas?.clientWidth || 400,
    height: HEIGHT,
    unit,
    font: `12px ${canvas ? fontOf(canvas) : "sans-serif"}`,
    colors: {
      text: resolveColor("--text-3"),
      line: resolveColor("--line"),
      ground: resolveColor("--surface"),
      warn: resolveColor("--warn"),
    },
  };
}

let font = "";

/** @param {HTMLElement} place */
function fontOf(place) {
  font ||= getComputedStyle(place).fontFamily;
  return font;
}

/** @param {HTMLCanvasElement} canvas @param {any[]} lines @param {string} unit @param {number | null} cursor */
function drawOn(canvas, lines, unit, cursor) {
  const look = lookOf(canvas, unit);
  const scale = devicePixelRatio || 1;
  const [width, height] = [Math.round(look.width * scale), Math.round(look.height * scale)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(scale, 0, 0, scale, 0, 0);
  drawRace(context, lines, look, cursor);
}

/** For readers who do not see it. @param {any[]} lines @param {string} unit */
function describe(lines, unit) {
  const parts = lines.map((line) =>
    line.arrivals.length
      ? `${line.name}: first after ${formatSeconds(line.arrivals[0] / 1000)}, ${formatCount(valueAt(line, Infinity))} ${unit} after ${formatSeconds(line.end / 1000)}`
      : `${line.name}: nothing yet`,
  );
  return `Race. ${parts.join("; ")}`;
}
