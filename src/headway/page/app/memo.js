/** Skip drawing a component whose props are the same. */
import { Component, h } from "preact";

/**
 * @template P
 * @param {(props: P) => unknown} draw
 */
export function memo(draw) {
  return class Memo extends Component {
    /** @param {Record<string, unknown>} next */
    shouldComponentUpdate(next) {
      const now = /** @type {Record<string, unknown>} */ (this.props);
      const names = new Set([...Object.keys(now), ...Object.keys(next)]);
      return [...names].some((name) => now[name] !== next[name]);
    }

    render() {
      return h(/** @type {any} */ (draw), /** @type {any} */ (this.props));
    }
  };
}
