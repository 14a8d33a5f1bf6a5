/** Keeps a defect of one page from taking the navigation with it. */
import { Component } from "preact";
import { html } from "../html.js";
import { Icon } from "./icon.js";

export class ErrorBoundary extends Component {
  /** @type {{error: Error | null}} */
  state = { error: null };

  /** @param {Error} error */
  static getDerivedStateFromError(error) {
    return { error };
  }

  /** @param {Error} error */
  componentDidCatch(error) {
    reportError(error);
  }

  render() {
    const { error } = this.state;
    return error ? html`<${PageFailure} error=${error} />` : this.props.children;
  }
}

/** @param {{error: Error}} props */
export function PageFailure({ error }) {
  return html`<div class="page"><div class="notice bad" role="alert">
    <${Icon} name="warn" />
    <div class="grow"><p>This page could not be shown: ${error.message}</p>
      <p>After an update of the gateway, loading the page again helps.</p></div>
    <button type="button" class="button compact" onClick=${() => location.reload()}>Reload</button>
  </div></div>`;
}
