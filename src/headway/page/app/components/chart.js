/** Charts over time, drawn by uPlot in the colours of the page. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { html } from "../html.js";
import { resolveColor, seriesColor } from "./color.js";
import { theme } from "../state/settings.js";

/**
 * @typedef {{label: string, values: (number | null)[], color?: string, isArea?: boolean,
 *   isStepped?: boolean, isDashed?: boolean, isBars?: boolean}} Series `color` is the name of a
 *   custom property; by default the series' own
 */

/**
 * @param {{x: number[], series: Series[], height?: number, label: string,
 *   format?: (value: number | null) => string, isTime?: boolean,
 *   formatX?: (value: number) => string, onPick?: (index: number) => void,
 *   hasLegend?: boolean}} props `x` in Unix seconds with `isTime`
 */
export function Chart(props) {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const chart = useRef(/** @type {uPlot | null} */ (null));
  const latest = useRef(props);
  latest.current = props;
  const shape = JSON.stringify([
    props.series.map(({ values, ...rest }) => rest),
    props.height,
    props.isTime,
    theme.value,
  ]);
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
  return html`<div class="chart" ref=${ref} role="img" aria-label=${props.label} />`;
}

/** @param {{x: number[], series: Series[]}} props @returns {uPlot.AlignedData} */
const dataOf = ({ x, series }) => /** @type {any} */ ([x, ...series.map((one) => one.values)]);

/** @param {HTMLElement} place @param {{current: any}} latest @returns {uPlot.Options} */
function makeOptions(place, latest) {
  const props = latest.current;
  const isTime = props.isTime ?? true;
  const font = `12px ${getComputedStyle(place).fontFamily}`;
  const axis = { stroke: resolveColor("--text-3"), font, ticks: { show: false }, grid: { stroke: resolveColor("--line"), width: 1 } };
  const format = props.format ?? String;
  return {
    width: place.clientWidth || 300,
    height: props.height ?? 200,
    legend: { show: props.hasLegend ?? props.series.length > 1, live: true },
    cursor: { points: { size: 7 }, drag: { x: false, y: false }, y: false },
    scales: { x: { time: isTime } },
    axes: [
      { ...axis, grid: { show: false }, space: 70, ...(props.formatX && { values: (/** @type {any} */ _, /** @type {number[]} */ ticks) => ticks.map(props.formatX) }) },
      { ...axis, size: 64, values: (/** @type {any} */ _, /** @type {number[]} */ ticks) => ticks.map((tick) => format(tick)) },
    ],
    series: [
      { value: (/** @type {any} */ _, /** @type {number} */ value) => (value === null ? "–" : (props.formatX?.(value) ?? (isTime ? new Date(value * 1000).toLocaleString("en-GB") : String(value)))) },
      ...props.series.map((/** @type {Series} */ one, /** @type {number} */ at) => drawSeries(one, resolveColor(one.color ?? seriesColor(at)), format)),
    ],
    hooks: {
      ready: [
        (/** @type {uPlot} */ self) => {
          self.over.addEventListener("click", () => {
            const at = self.cursor.idx;
            if (typeof at === "number") latest.current.onPick?.(at);
          });
        },
      ],
    },
  };
}

/** @param {Series} one @param {string} stroke @param {(value: number | null) => string} format @returns {uPlot.Series} */
function drawSeries(one, stroke, format) {
  return {
    label: one.label,
    stroke,
    width: 1.75,
    dash: one.isDashed ? [4, 4] : undefined,
    fill: one.isArea || one.isBars ? `color-mix(in srgb, ${stroke} ${one.isBars ? 70 : 14}%, transparent)` : undefined,
    paths: one.isBars
      ? uPlot.paths.bars?.({ size: [0.7, 40], radius: 0.15 })
      : one.isStepped
        ? uPlot.paths.stepped?.({ align: 1 })
        : undefined,
    points: { show: one.values.length === 1, size: 6 },
    value: (/** @type {any} */ _, /** @type {number | null} */ value) => format(value),
  };
}
