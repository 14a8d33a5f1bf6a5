/** The race: how much each model has said, against time. Drawn on a canvas, for the page and for a picture. */
import { countUpTo, findStalls, totalsOf } from "./statistics.js";

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} label of the model; lines of several runs have the same
 * @property {string} color as the canvas takes it
 * @property {number[]} dash of a canvas: colours return after eight models
 * @property {number[]} arrivals milliseconds
 * @property {number[]} sizes characters
 * @property {number} scale from characters to what is drawn
 * @property {number} end milliseconds
 * @property {boolean} isOver
 * @property {boolean} isFailed
 */
/**
 * @typedef {object} Look
 * @property {number} width
 * @property {number} height
 * @property {string} unit
 * @property {string} font
 * @property {{text: string, line: string, ground: string, warn: string}} colors
 */
/** @typedef {{left: number, top: number, width: number, height: number, maxTime: number, maxValue: number}} Frame */

const MARGIN = { left: 52, right: 14, top: 12, bottom: 26 };
/** Names stand beside the lines where there is room. */
const LABEL = { width: 150, height: 15, most: 10, from: 560 };

/** @param {Line[]} lines @param {Look} look */
const hasLabels = (lines, look) =>
  look.width >= LABEL.from && new Set(lines.map((line) => line.label)).size <= LABEL.most;

/** The arrays of a lane grow between the frames. @param {Line} line */
const endOf = (line) => Math.max(line.end, line.arrivals[line.arrivals.length - 1] ?? 0);

/** @param {Line[]} lines @param {Look} look @returns {Frame} */
export function frameOf(lines, look) {
  const right = hasLabels(lines, look) ? LABEL.width : MARGIN.right;
  const maxTime = Math.max(250, ...lines.map(endOf)) * 1.02;
  const maxValue =
    Math.max(10, ...lines.map((line) => (totalsOf(line.sizes).at(-1) ?? 0) * line.scale)) * 1.06;
  return {
    left: MARGIN.left,
    top: MARGIN.top,
    maxTime,
    maxValue,
    width: look.width - MARGIN.left - right,
    height: look.height - MARGIN.top - MARGIN.bottom,
  };
}

/** How much a line had said at `time`. @param {Line} line @param {number} time milliseconds */
export function valueAt(line, time) {
  const count = countUpTo(line.arrivals, time);
  return count ? totalsOf(line.sizes)[count - 1] * line.scale : 0;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Line[]} lines
 * @param {Look} look
 * @param {number | null} [cursor] milliseconds that are pointed at
 */
export function drawRace(context, lines, look, cursor = null) {
  const frame = frameOf(lines, look);
  const { width, height, colors, font } = look;
  context.clearRect(0, 0, width, height);
  context.font = font;
  drawAxes(context, frame, look);
  for (const line of lines) drawLine(context, line, frame, colors);
  if (hasLabels(lines, look)) drawLabels(context, lines, frame, colors);
  if (cursor !== null) drawCursor(context, lines, frame, cursor, colors);
}

/** @param {Frame} frame @param {number} time */
const xOf = (frame, time) => frame.left + (time / frame.maxTime) * frame.width;
/** @param {Frame} frame @param {number} value */
const yOf = (frame, value) => frame.top + frame.height - (value / frame.maxValue) * frame.height;

/** @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Look} look */
function drawAxes(context, frame, { colors, unit }) {
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  const step = roundStep(frame.maxValue / 4);
  for (let value = 0; value <= frame.maxValue; value += step) {
    const y = Math.round(yOf(frame, value)) + 0.5;
    context.fillStyle = colors.line;
    context.fillRect(frame.left, y, frame.width, 1);
    context.fillStyle = colors.text;
    context.fillText(value >= 10_000 ? `${value / 1000}K` : String(value), frame.left - 8, y);
  }
  context.textAlign = "center";
  const seconds = roundStep(frame.maxTime / 1000 / 5);
  const digits = Math.max(0, -Math.floor(Math.log10(seconds)));
  for (let time = 0; time * 1000 <= frame.maxTime; time += seconds) {
    context.fillText(
      `${time ? time.toFixed(digits) : 0} s`,
      xOf(frame, time * 1000),
      frame.top + frame.height + 15,
    );
  }
  context.textAlign = "left";
  context.fillText(unit, frame.left + 6, frame.top + 6);
}

/** 1, 2 or 5 times a power of ten. @param {number} wanted */
export function roundStep(wanted) {
  const power = 10 ** Math.floor(Math.log10(wanted));
  return power * ([1, 2, 5].find((step) => step * power >= wanted) ?? 10);
}

/** @param {CanvasRenderingContext2D} context @param {Line} line @param {Frame} frame @param {Look["colors"]} colors */
function drawLine(context, line, frame, colors) {
  const { arrivals } = line;
  context.strokeStyle = line.color;
  context.fillStyle = line.color;
  context.lineWidth = 2;
  context.lineJoin = "round";
  if (!arrivals.length) {
    if (line.isFailed) drawCross(context, xOf(frame, line.end), yOf(frame, 0));
    return;
  }
  const totals = totalsOf(line.sizes);
  const [x0, y0] = [xOf(frame, arrivals[0]), yOf(frame, 0)];
  context.beginPath();
  context.moveTo(x0, y0);
  let drawn = x0 - 1;
  let y = y0;
  for (let at = 0; at < arrivals.length; at += 1) {
    const x = xOf(frame, arrivals[at]);
    const isLast = at === arrivals.length - 1;
    if (x - drawn < 0.7 && !isLast) continue;
    context.lineTo(x, y);
    y = yOf(frame, totals[at] * line.scale);
    context.lineTo(x, y);
    drawn = x;
  }
  if (!line.isOver) context.lineTo(xOf(frame, endOf(line)), y);
  context.setLineDash(line.dash);
  context.stroke();
  context.setLineDash([]);
  drawStalls(context, line, frame, colors);
  context.beginPath();
  context.arc(x0, y0, 4, 0, 2 * Math.PI);
  context.fillStyle = colors.ground;
  context.fill();
  context.stroke();
  context.fillStyle = line.color;
  const x = xOf(frame, arrivals[arrivals.length - 1]);
  if (line.isFailed) drawCross(context, x, y);
  else if (line.isOver) {
    context.beginPath();
    context.arc(x, y, 3.5, 0, 2 * Math.PI);
    context.fill();
  }
}

/**
 * Names at the height of what each model has said, moved apart where they would overlap.
 * @param {CanvasRenderingContext2D} context @param {Line[]} lines @param {Frame} frame @param {Look["colors"]} colors
 */
function drawLabels(context, lines, frame, colors) {
  /** @type {Map<string, {line: Line, y: number}>} */
  const places = new Map();
  for (const line of lines.filter(({ arrivals }) => arrivals.length)) {
    const y = yOf(frame, valueAt(line, Number.POSITIVE_INFINITY));
    if (y < (places.get(line.label)?.y ?? Number.POSITIVE_INFINITY))
      places.set(line.label, { line, y });
  }
  const bottom = frame.top + frame.height;
  const sorted = [...places.values()].sort((a, b) => b.y - a.y);
  sorted.forEach((place, at) => {
    place.y = Math.min(place.y, at ? sorted[at - 1].y - LABEL.height : bottom);
  });
  context.textAlign = "left";
  context.textBaseline = "middle";
  const x = frame.left + frame.width + 10;
  for (const { line, y } of sorted) {
    context.fillStyle = line.color;
    context.fillRect(x, y - 4, 8, 8);
    context.fillStyle = colors.text;
    context.fillText(shorten(context, line.label, LABEL.width - 28), x + 14, y);
  }
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {number} width */
export function shorten(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let size = text.length;
  while (size > 1 && context.measureText(`${text.slice(0, size)}…`).width > width) size -= 1;
  return `${text.slice(0, size)}…`;
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y */
function drawCross(context, x, y) {
  context.beginPath();
  context.moveTo(x - 4, y - 4);
  context.lineTo(x + 4, y + 4);
  context.moveTo(x + 4, y - 4);
  context.lineTo(x - 4, y + 4);
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {Line} line @param {Frame} frame @param {Look["colors"]} colors */
function drawStalls(context, line, frame, colors) {
  const totals = totalsOf(line.sizes);
  context.save();
  context.strokeStyle = colors.warn;
  context.lineWidth = 4;
  const arrivals = line.isOver ? line.arrivals : [...line.arrivals, endOf(line)];
  for (const [at, gap] of findStalls(arrivals)) {
    const [from, to] = [xOf(frame, line.arrivals[at]), xOf(frame, line.arrivals[at] + gap)];
    if (to - from < 3) continue;
    const y = yOf(frame, totals[at] * line.scale);
    context.beginPath();
    context.moveTo(from, y);
    context.lineTo(to, y);
    context.stroke();
  }
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {Line[]} lines @param {Frame} frame @param {number} cursor @param {Look["colors"]} colors */
function drawCursor(context, lines, frame, cursor, colors) {
  const x = Math.round(xOf(frame, cursor));
  context.fillStyle = colors.text;
  context.fillRect(x, frame.top, 1, frame.height);
  for (const line of lines) {
    context.beginPath();
    context.arc(x, yOf(frame, valueAt(line, cursor)), 3.5, 0, 2 * Math.PI);
    context.fillStyle = line.color;
    context.fill();
  }
}
