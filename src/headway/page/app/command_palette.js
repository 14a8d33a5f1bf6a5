/** Go anywhere and do anything by typing: Ctrl+K. */
import { Dialog } from "./components/dialog.js";
import { SearchList } from "./components/list_box.js";
import { html } from "./html.js";
import { models } from "./state/models.js";
import { navigate, routeHref } from "./state/router.js";

/**
 * @typedef {{id: string, text: string, hint?: string, run: () => void}} Command
 * @param {{pages: Record<string, {title: string}>, commands: Command[], onClose: () => void}} props
 */
export function CommandPalette({ pages, commands, onClose }) {
  /** @type {Command[]} */
  const all = [
    ...Object.entries(pages).map(([name, page]) => ({
      id: name,
      text: page.title,
      hint: "page",
      run: () => navigate(routeHref(name)),
    })),
    {
      id: "new",
      text: "New conversation",
      hint: "playground",
      run: () => navigate(routeHref("playground", [], { new: 1 })),
    },
    ...commands,
    ...models.value.map((model) => ({
      id: `model ${model.id}`,
      text: model.id,
      hint: "chat with",
      run: () => navigate(routeHref("playground", [], { model: model.id })),
    })),
  ];
  /** @param {{id: string}} item */
  const pick = (item) => {
    onClose();
    all.find((command) => command.id === item.id)?.run();
  };
  return html`<${Dialog} title="Go to" hasHead=${false} class="palette" onClose=${onClose}>
    <${SearchList} label="Go to a page, a model or a command" items=${all} onPick=${pick} />
  </${Dialog}>`;
}
