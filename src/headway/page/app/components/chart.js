/** Charts over time, drawn by uPlot in the colours of the page, with a tooltip that reads values. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { html } from "../html.js";
import { theme } from "../state/settings.js";
import { makeTooltip } from "./chart_tooltip.js";
import { resolveColor, seriesColor } from "./color.js";

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {(number | null)[]} values
 * @property {(number | null)[]} [shown] what the tooltip shows, where it is not the drawn value
 * @property {string} [color] a custom property; by default that of the series' place
 * @property {boolean} [isArea] filled below the line
 * @property {boolean} [isStacked] filled so that what lies behind does not show
 * @property {boolean} [isBars]
 * @property {boolean} [isDashed]
 */

/**
 * @typedef {object} ChartProps
 * @property {number[]} x Unix seconds, or any number with `formatX`
 * @property {Series[]} series
 * @property {string} label for screen readers
 * @property {number} [height] pixels
 * @property {(value: number | null) => string} [format]
 * @property {(value: number) => string} [formatX] in place of times
 * @property {(value: number) => string} [formatTitle] the tooltip's first line
 * @property {(index: number) => void} [onPick] a click on a point
 */

/** @param {ChartProps} props */
export function Chart(props) {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const chart = useRef(/** @type {uPlot | null} */ (null));
  const latest = useRef(props);
  latest.current = props;
  const looks = props.series.map(({ values, shown, ...look }) => look);
  const shape = JSON.stringify([looks, props.height, theme.value]);
  useEffect(() => {
    const place = ref.current;
    if (!place) return;
    const make = () => {
      chart.current?.destroy();
      chart.current = new uPlot(makeOptions(place, latest), dataOf(latest.current), place);
    };
    make();
    const observer = new ResizeObserver(() => {
      chart.current?.setSize({ width: place.clientWidth, height: latest.current.height ?? 200 });
    });
    observer.observe(place);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", make);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", make);
      chart.current?.destroy();
      chart.current = null;
    };
  }, [shape]);
  useEffect(() => {
    chart.current?.setData(dataOf(props));
  }, [props.x, props.series]);
  return html`<div class="chart ${props.onPick ? "can-pick" : ""}" ref=${ref} role="img"
    aria-label=${props.label} style=${{ minHeight: `${props.height ?? 200}px` }} />`;
}

/** @param {ChartProps} props @returns {uPlot.AlignedData} */
const dataOf = ({ x, series }) => /** @type {any} */ ([x, ...series.map((one) => one.values)]);

/** @param {HTMLElement} place @param {{current: ChartProps}} latest @returns {uPlot.Options} */
function makeOptions(place, latest) {
  const props = latest.current;
  const { format = String, formatX } = props;
  const hasBars = props.series.some((one) => one.isBars);
  const axis = {
    stroke: resolveColor("--text-3"),
    font: `12px ${getComputedStyle(place).fontFamily}`,
    ticks: { show: false },
    grid: { stroke: resolveColor("--line"), width: 1 },
  };
  /** @type {uPlot.Axis} */
  const across = {
    ...axis,
    grid: { show: false },
    space: 80,
    size: 28,
    gap: 6,
    values: (_, ticks) => ticks.map(formatX ?? ((tick) => nameTick(tick, ticks))),
  };
  return {
    width: place.clientWidth || 300,
    height: props.height ?? 200,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { points: { show: !hasBars, size: 7 }, drag: { x: false, y: false }, y: false },
    scales: {
      x: { time: !formatX, range: hasBars ? padRange : undefined },
      y: { range: (_, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      across,
      {
        ...axis,
        size: 60,
        space: 36,
        gap: 8,
        values: (_, ticks) => ticks.map((tick) => shorten(format(tick))),
      },
    ],
    series: [{}, ...props.series.map(drawSeries)],
    hooks: {
      ready: [
        (self) => {
          self.over.addEventListener("click", () => {
            const at = self.cursor.idx;
            if (typeof at === "number") latest.current.onPick?.(at);
          });
        },
      ],
    },
    plugins: [makeTooltip(latest)],
  };
}

/** A time on the axis: the hour where the ticks lie within a day, else the date. @param {number} tick
 * @param {number[]} ticks */
function nameTick(tick, ticks) {
  const date = new Date(tick * 1000);
  const gap = ticks.length > 1 ? ticks[1] - ticks[0] : 0;
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
  if (gap < 86_400 && !isMidnight) {
    return date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  }
  return gap > 27 * 86_400
    ? date.toLocaleDateString("en-GB", { month: "short", year: "2-digit" })
    : date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

/** "5.00 s" as "5 s". @param {string} text */
const shorten = (text) => text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");

/** Room for the outer halves of the first and last bar. @type {uPlot.Range.Function} */
const padRange = (self, low, high) => {
  const x = self.data[0];
  const half = x.length > 1 ? (x[1] - x[0]) / 2 : 0.5;
  return [low - half, high + half];
};

/** @param {Series} one @param {number} at @returns {uPlot.Series} */
function drawSeries(one, at) {
  const stroke = resolveColor(one.color ?? seriesColor(at));
  const mix = (/** @type {number} */ share) =>
    `color-mix(in srgb, ${stroke} ${share}%, transparent)`;
  if (one.isBars) {
    const paths = uPlot.paths.bars?.({ size: [0.72, 36], radius: 0.12 });
    return { label: one.label, fill: stroke, width: 0, paths, points: { show: false } };
  }
  return {
    label: one.label,
    stroke: one.isDashed ? mix(55) : stroke,
    width: 1.75,
    dash: one.isDashed ? [3, 4] : undefined,
    fill: one.isStacked
      ? `color-mix(in srgb, ${stroke} 45%, ${resolveColor("--surface")})`
      : one.isArea
        ? mix(12)
        : undefined,
    points: { show: one.values.filter((value) => value !== null).length === 1, size: 6 },
  };
}
