/** The lines of the race, from the lanes. Values without DOM. */
import { splitModel } from "./experiment.js";
import { charactersOf } from "./statistics.js";

const DASHES = [[], [7, 4], [2, 4]];

/** @typedef {import("../streams/lane.js").Lane} Lane */
/** @typedef {import("./race_drawing.js").Line} Line */

/**
 * Tokens are drawn when all counts are known, characters until then.
 * @param {{name: string, color: number, lanes: Lane[]}[]} groups
 * @param {(color: number) => string} colorOf
 * @param {(lane: Lane) => number} elapsed milliseconds since a lane that runs was asked
 * @returns {{lines: Line[], unit: string}}
 */
export function makeLines(groups, colorOf, elapsed) {
  const lanes = groups.flatMap((group) => group.lanes);
  const counted = lanes.filter((lane) => lane.metrics?.output_tokens && charactersOf(lane.sizes));
  const isCounted = counted.length > 0 && lanes.every((lane) => lane.isOver);
  const usual =
    sum(counted, (lane) => lane.metrics?.output_tokens) /
    sum(counted, (lane) => charactersOf(lane.sizes));
  /** @param {Lane} lane */
  const scaleOf = (lane) =>
    !isCounted
      ? 1
      : counted.includes(lane)
        ? lane.metrics?.output_tokens / charactersOf(lane.sizes)
        : usual;
  const lines = groups.flatMap(({ name, color, lanes: runs }) =>
    runs.map((lane) => ({
      name: runs.length > 1 ? `${name} #${lane.run + 1}` : name,
      label: splitModel(name)[1],
      dash: DASHES[Math.floor(color / 8) % DASHES.length],
      color: colorOf(color),
      arrivals: lane.arrivals,
      sizes: lane.sizes,
      scale: scaleOf(lane),
      end:
        lane.isOver || lane.isQueued
          ? Math.max(lane.at, lane.arrivals.at(-1) ?? 0)
          : Math.max(lane.at, elapsed(lane)),
      isOver: lane.isOver,
      isFailed: lane.status.value === "failed",
    })),
  );
  return { lines, unit: isCounted ? "tokens" : "characters" };
}

/** @param {Lane[]} lanes @param {(lane: Lane) => number} read */
const sum = (lanes, read) => lanes.reduce((total, lane) => total + read(lane), 0);
