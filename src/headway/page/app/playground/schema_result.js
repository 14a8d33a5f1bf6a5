/** Whether an answer is what the JSON schema asks for. */
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { settings } from "./conversation.js";
import { readSchema } from "./json_text.js";
import { checkAnswer } from "./schema_check.js";

/** @param {{text: string}} props */
export function SchemaResult({ text }) {
  const schema = readSchema(settings.value.schema).value;
  if (!schema || !text) return null;
  const problems = checkAnswer(text, schema.schema);
  if (!problems.length)
    return html`<p class="row"><span class="tag good"><${Icon} name="check" />Valid for the schema</span></p>`;
  return html`<div class="schema-result">
    <span class="tag bad"><${Icon} name="warn" />Not valid for the schema</span>
    <ul class="small">${problems.map((problem) => html`<li key=${problem}>${problem}</li>`)}</ul>
  </div>`;
}
