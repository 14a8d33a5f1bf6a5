/** The tooltip of a chart: the time below the pointer and the value of each series there. */
import { resolveColor, seriesColor } from "./color.js";

const MAX_ROWS = 12;

/**
 * @param {{current: import("./chart.js").ChartProps}} latest the properties of the chart
 * @returns {import("uplot").Plugin}
 */
export function makeTooltip(latest) {
  const box = document.createElement("div");
  box.className = "chart-tooltip";
  box.hidden = true;
  return {
    hooks: {
      init: (self) => {
        self.over.append(box);
        self.over.addEventListener("pointerleave", () => {
          box.hidden = true;
        });
      },
      setCursor: (self) => {
        const { idx, left = 0, top = 0 } = self.cursor;
        const isInside = typeof idx === "number" && left >= 0;
        box.hidden = !isInside;
        if (!isInside) return;
        fill(box, latest.current, idx);
        const isRight = left > self.over.clientWidth / 2;
        box.style.left = isRight ? "" : `${left + 14}px`;
        box.style.right = isRight ? `${self.over.clientWidth - left + 14}px` : "";
        box.style.top = `${Math.max(0, Math.min(top, self.over.clientHeight - box.offsetHeight))}px`;
      },
    },
  };
}

/** @param {HTMLElement} box @param {import("./chart.js").ChartProps} props @param {number} at */
function fill(box, props, at) {
  const { format = String } = props;
  const title = document.createElement("strong");
  const describe = props.formatTitle ?? props.formatX ?? describeTime;
  title.textContent = describe(props.x[at]);
  const rows = props.series
    .map((one, index) => ({ one, index, value: (one.shown ?? one.values)[at] ?? null }))
    .filter(({ value }) => value !== null)
    .slice(0, MAX_ROWS);
  box.replaceChildren(
    title,
    ...rows.map(({ one, index, value }) => makeRow(one, index, format(value))),
  );
}

/** @param {import("./chart.js").Series} one @param {number} index @param {string} value */
function makeRow(one, index, value) {
  const row = document.createElement("span");
  const swatch = document.createElement("i");
  swatch.style.background = resolveColor(one.color ?? seriesColor(index));
  if (one.isDashed) swatch.style.opacity = "0.5";
  const name = document.createElement("span");
  name.textContent = one.label;
  const figure = document.createElement("b");
  figure.textContent = value;
  row.append(swatch, name, figure);
  return row;
}

/** @param {number} seconds */
const describeTime = (seconds) =>
  new Date(seconds * 1000).toLocaleString("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
