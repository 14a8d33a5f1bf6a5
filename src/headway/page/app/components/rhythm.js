/**
 * The rhythm of an answer: one bar for each event, as high as the gap before it was long. A stall
 * stands out; an even stream is a low, even row.
 */
import { useEffect, useRef } from "preact/hooks";
import { formatSeconds } from "../format.js";
import { html } from "../html.js";
import { theme } from "../state/settings.js";
import { resolveColor } from "./color.js";

/** A gap this many times the median is drawn as a stall. */
const STALL = 4;

/** @param {number[]} arrivals milliseconds @returns {number[]} the gaps between them */
export function gapsOf(arrivals) {
  return arrivals.slice(1).map((time, at) => time - arrivals[at]);
}

/** @param {number[]} values @param {number} share 0 to 1 @returns {number} NaN of none */
export const quantile = (values, share) => quantileOf(Float64Array.from(values).sort(), share);

/** @param {ArrayLike<number>} sorted @param {number} share */
const quantileOf = (sorted, share) =>
  sorted.length
    ? sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
    : Number.NaN;

/**
 * @param {{arrivals: number[], version?: number, color?: string, height?: number, label?: string,
 *   openMs?: number}} props `arrivals` in milliseconds since the request; the same array may grow,
 *   then `version` changes. `openMs`: for how long nothing has come, where that is to be seen
 */
export function Rhythm({
  arrivals,
  version = 0,
  color = "--accent",
  height = 36,
  label = "Gaps between events",
  openMs = 0,
}) {
  const ref = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  // Asking the canvas for its size in each frame would make the browser lay out the page each time.
  const size = useRef({ width: 0, height: 0 });
  useEffect(() => {
    if (ref.current) draw(ref.current, size.current, arrivals, color, openMs);
  }, [arrivals, version, arrivals.length, color, openMs, theme.value]);
  useEffect(() => {
    const canvas = ref.current;
    if (!canvas) return;
    const redraw = () => draw(canvas, size.current, arrivals, color);
    const observer = new ResizeObserver(() => {
      size.current = { width: canvas.clientWidth, height: canvas.clientHeight };
      redraw();
    });
    observer.observe(canvas);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", redraw);
    };
  }, [arrivals, color]);
  const gaps = Float64Array.from(arrivals.length > 1 ? gapsOf(arrivals) : []).sort();
  const spoken = gaps.length
    ? `${label}: ${gaps.length} gaps, median ${formatSeconds(quantileOf(gaps, 0.5) / 1000)}, longest ${formatSeconds(gaps[gaps.length - 1] / 1000)}`
    : label;
  return html`<canvas ref=${ref} class="rhythm" style=${{ height: `${height}px` }} role="img"
    aria-label=${spoken} title=${spoken} />`;
}

/**
 * @param {HTMLCanvasElement} canvas @param {{width: number, height: number}} size
 * @param {number[]} arrivals @param {string} color @param {number} [openMs]
 */
function draw(canvas, { width, height }, arrivals, color, openMs = 0) {
  if (!width || !height) return;
  const scale = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.fillStyle = resolveColor("--line");
  context.fillRect(0, height - 1, width, 1);
  const gaps = openMs ? [...gapsOf(arrivals), openMs] : gapsOf(arrivals);
  if (!gaps.length) return;
  const stall = quantile(gaps, 0.5) * STALL + 20;
  const columns = Math.max(1, Math.floor(width / 3));
  const bars = shrink(gaps, columns);
  const top = Math.max(stall, quantile(bars, 0.98));
  const step = Math.min(6, width / bars.length);
  const usual = resolveColor(color);
  const slow = resolveColor("--warn");
  bars.forEach((gap, at) => {
    const size = Math.max(1.5, Math.min(1, gap / top) * (height - 2));
    context.fillStyle = gap > stall ? slow : usual;
    context.fillRect(at * step, height - 1 - size, Math.max(1, step - 1), size);
  });
}

/** At most `count` values: the greatest of each group. @param {number[]} values @param {number} count */
function shrink(values, count) {
  if (values.length <= count) return values;
  const size = Math.ceil(values.length / count);
  return Array.from({ length: Math.ceil(values.length / size) }, (_, at) =>
    Math.max(...values.slice(at * size, (at + 1) * size)),
  );
}
