/** The template tag for markup: htm bound to Preact. Values are text, never markup. */
import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);
