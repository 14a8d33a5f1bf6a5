/** A picture of a comparison to pass on: figures and race, in the light theme. */
import { resolveColor, seriesColor } from "../components/color.js";
import { COLUMNS, makeRows } from "./columns.js";
import { titleOf } from "./experiment.js";
import { drawRace, shorten } from "./race_drawing.js";
import { makeLines } from "./race_lines.js";
import { totalsOf } from "./statistics.js";

const WIDTH = 1200;
const EDGE = 40;
const ROW = 34;
const HEAD = 118;
const RACE = 320;
const NAME = 300;
/** Widths of the columns, in parts. @type {Record<string, number>} */
const PARTS = { input_tokens: 0.6, output_tokens: 0.6, cost_usd: 1.3, million_calls_usd: 1.2 };
const SCALE = 2;

/** @param {string} name */
const light = (name) => resolveColor(name, "light");

/**
 * @param {import("./session.js").Session} session
 * @param {number[]} order of its groups
 * @returns {Promise<Blob>} PNG
 */
export async function makePicture(session, order) {
  const groups = order.map((at) => ({ ...session.groups[at], color: session.groups[at].index }));
  const height = HEAD + ROW * (groups.length + 1) + 24 + RACE + 56;
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH * SCALE;
  canvas.height = height * SCALE;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(SCALE, SCALE);
  context.fillStyle = light("--surface");
  context.fillRect(0, 0, WIDTH, height);
  const family = getComputedStyle(document.body).fontFamily;
  drawHead(context, session, family);
  drawTable(context, groups, family);
  drawRaceBelow(context, groups, session, HEAD + ROW * (groups.length + 1) + 24, family);
  drawText(context, "Measured by Headway", {
    x: WIDTH - EDGE,
    y: height - 26,
    font: `13px ${family}`,
    color: "--text-3",
    align: "right",
  });
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("the browser made no image"))),
      "image/png",
    );
  });
}

/**
 * @param {CanvasRenderingContext2D} context @param {string} text
 * @param {{x: number, y: number, font: string, color?: string, align?: CanvasTextAlign, width?: number}} look
 */
function drawText(
  context,
  text,
  { x, y, font, color = "--text", align = "left", width = WIDTH - 2 * EDGE },
) {
  context.font = font;
  context.fillStyle = light(color);
  context.textAlign = align;
  context.textBaseline = "middle";
  context.fillText(shorten(context, text, width), x, y);
}

/** @param {CanvasRenderingContext2D} context @param {import("./session.js").Session} session @param {string} family */
function drawHead(context, session, family) {
  const { experiment, startedOn } = session;
  const date = startedOn.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" });
  const runs = experiment.runs > 1 ? `, median of ${experiment.runs} runs` : "";
  drawText(context, titleOf(experiment) || "Comparison", {
    x: EDGE,
    y: 52,
    font: `650 21px ${family}`,
  });
  drawText(context, `${date} · ${session.groups.length} models${runs}`, {
    x: EDGE,
    y: 86,
    font: `15px ${family}`,
    color: "--text-2",
  });
}

/** @param {CanvasRenderingContext2D} context @param {any[]} groups @param {string} family */
function drawTable(context, groups, family) {
  const rows = makeRows(groups.map((group) => group.lanes));
  const parts = totalsOf(COLUMNS.map(({ id }) => PARTS[id] ?? 1));
  const step = (WIDTH - 2 * EDGE - NAME) / parts[parts.length - 1];
  const right = (/** @type {number} */ at) => EDGE + NAME + step * parts[at];
  COLUMNS.forEach((column, at) => {
    drawText(context, column.label, {
      x: right(at),
      y: HEAD + ROW / 2,
      font: `600 13px ${family}`,
      color: "--text-3",
      align: "right",
    });
  });
  groups.forEach((group, row) => {
    const top = HEAD + ROW * (row + 1);
    context.fillStyle = light("--line");
    context.fillRect(EDGE, top, WIDTH - 2 * EDGE, 1);
    context.fillStyle = light(seriesColor(group.color));
    context.fillRect(EDGE, top + ROW / 2 - 5, 10, 10);
    drawText(context, group.name, {
      x: EDGE + 20,
      y: top + ROW / 2,
      font: `560 15px ${family}`,
      width: NAME - 20,
    });
    COLUMNS.forEach((column, at) => {
      const { value, isBest } = rows[row][column.id];
      drawText(context, column.format(value), {
        x: right(at),
        y: top + ROW / 2,
        align: "right",
        font: `${isBest ? 700 : 400} 15px ${family}`,
        color: isBest ? "--good" : "--text",
      });
    });
  });
}

/** @param {CanvasRenderingContext2D} context @param {any[]} groups @param {import("./session.js").Session} session @param {number} top @param {string} family */
function drawRaceBelow(context, groups, session, top, family) {
  const { lines, unit } = makeLines(
    groups,
    (color) => light(seriesColor(color)),
    (lane) => session.elapsed(lane),
  );
  context.save();
  context.translate(EDGE, top);
  drawRace(context, lines, {
    width: WIDTH - 2 * EDGE,
    height: RACE,
    unit,
    font: `13px ${family}`,
    colors: {
      text: light("--text-3"),
      line: light("--line"),
      ground: light("--surface"),
      warn: light("--warn"),
    },
  });
  context.restore();
}
