/** The frame of the page: navigation, the page that the address names, dialogs and shortcuts. */
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { gatewayKey, isKeyRequired, isReachable } from "./api/client.js";
import { CommandPalette } from "./command_palette.js";
import { IconButton, Skeleton } from "./components/basics.js";
import { ErrorBoundary, PageFailure } from "./components/error_boundary.js";
import { Icon, Mark } from "./components/icon.js";
import { Toasts } from "./components/toasts.js";
import { html } from "./html.js";
import { KeyDialog } from "./key_dialog.js";
import { ShortcutHelp, watchShortcuts } from "./shortcuts.js";
import { navigate, route, routeHref } from "./state/router.js";
import { theme } from "./state/settings.js";

/** @type {Record<string, {title: string, icon: string, load: () => Promise<any>}>} */
const PAGES = {
  playground: { title: "Playground", icon: "chat", load: () => import("./playground/page.js") },
  compare: { title: "Compare", icon: "compare", load: () => import("./compare/page.js") },
  dashboard: { title: "Dashboard", icon: "dashboard", load: () => import("./dashboard/page.js") },
  logs: { title: "Logs", icon: "logs", load: () => import("./logs/page.js") },
  models: { title: "Models", icon: "models", load: () => import("./models/page.js") },
};
const THEMES = /** @type {const} */ (["auto", "light", "dark"]);
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };

/** The component of each page that was opened. */
const loaded = signal(/** @type {Record<string, any>} */ ({}));
const isPaletteOpen = signal(false);
const isHelpOpen = signal(false);
const isKeyDialogOpen = signal(false);

const nextTheme = () =>
  THEMES[(THEMES.indexOf(/** @type {any} */ (theme.value)) + 1) % THEMES.length];
const turnTheme = () => {
  theme.value = nextTheme();
};

effect(() => {
  const { page } = route.value;
  const known = PAGES[page];
  document.title = known ? `${known.title} · Headway` : "Headway";
  if (!known) navigate(routeHref("playground"), { replace: true });
  else if (!loaded.peek()[page]) {
    known.load().then(
      (module) => {
        loaded.value = { ...loaded.value, [page]: module.Page };
      },
      // A new version of the gateway has other addresses for the modules.
      (error) => {
        loaded.value = { ...loaded.value, [page]: () => html`<${PageFailure} error=${error} />` };
      },
    );
  }
});

function Navigation() {
  const current = route.value.page;
  return html`<nav class="nav" aria-label="Pages">
    <a class="nav-brand" href="#/playground"><${Mark} />Headway</a>
    ${Object.entries(PAGES).map(
      ([name, page]) => html`<a key=${name} class="nav-link" href=${routeHref(name)}
        aria-current=${name === current ? "page" : undefined}><${Icon} name=${page.icon} />${page.title}</a>`,
    )}
    <button type="button" class="nav-link nav-more" onClick=${() => {
      isPaletteOpen.value = true;
    }}><${Icon} name="more" />More</button>
    <div class="nav-foot">
      <button type="button" class="nav-link" onClick=${() => {
        isPaletteOpen.value = true;
      }}>
        <${Icon} name="search" /><span class="grow" style=${{ textAlign: "left" }}>Go to…</span><kbd>Ctrl K</kbd></button>
      <button type="button" class="nav-link" onClick=${turnTheme}>
        <${Icon} name=${THEME_ICONS[/** @type {"auto"} */ (theme.value)]} />Theme: ${theme.value}</button>
      ${
        (gatewayKey.value || isKeyRequired.value) &&
        html`<button type="button" class="nav-link"
        onClick=${() => {
          isKeyDialogOpen.value = true;
        }}><${Icon} name="key" />Gateway key</button>`
      }
      <button type="button" class="nav-link" onClick=${() => {
        isHelpOpen.value = true;
      }}>
        <${Icon} name="keyboard" />Shortcuts</button>
      <a class="nav-link" href="docs" target="_blank" rel="noopener"><${Icon} name="docs" />API</a>
    </div>
  </nav>`;
}

function App() {
  const { page } = route.value;
  const Page = loaded.value[page];
  const closeKey = () => {
    isKeyDialogOpen.value = false;
  };
  return html`<div class="shell">
    <a class="skip-link" href="#main" onClick=${focusMain}>Skip to the page</a>
    <${Navigation} />
    <main class="main" id="main" tabindex="-1">
      ${
        !isReachable.value &&
        html`<div class="banner" role="alert"><${Icon} name="warn" />
        <span class="grow">The gateway cannot be reached. What you see may be old.</span>
        <${IconButton} icon="close" label="Hide" class="plain compact" onClick=${() => {
          isReachable.value = true;
        }} /></div>`
      }
      ${Page ? html`<${ErrorBoundary} key=${page}><${Page} /></${ErrorBoundary}>` : html`<div class="page"><${Skeleton} lines=${6} height="1.5em" /></div>`}
    </main>
    ${(isKeyDialogOpen.value || isKeyRequired.value) && html`<${KeyDialog} onClose=${closeKey} />`}
    ${
      isPaletteOpen.value &&
      html`<${CommandPalette} pages=${PAGES} onClose=${() => {
        isPaletteOpen.value = false;
      }}
      commands=${[
        { id: "theme", text: `Switch the theme to ${nextTheme()}`, run: turnTheme },
        {
          id: "key",
          text: "Enter a gateway key",
          run: () => {
            isKeyDialogOpen.value = true;
          },
        },
        {
          id: "help",
          text: "Show the keyboard shortcuts",
          run: () => {
            isHelpOpen.value = true;
          },
        },
        {
          id: "docs",
          text: "Open the API's documentation",
          run: () => {
            open("docs", "_blank", "noopener");
          },
        },
      ]} />`
    }
    ${
      isHelpOpen.value &&
      html`<${ShortcutHelp} onClose=${() => {
        isHelpOpen.value = false;
      }} />`
    }
    <${Toasts} />
  </div>`;
}

/** The address stays as it is: it says what is shown. @param {MouseEvent} event */
function focusMain(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

watchShortcuts({
  openPalette: () => {
    isPaletteOpen.value = !isPaletteOpen.value;
  },
  openHelp: () => {
    isHelpOpen.value = true;
  },
  goTo: (page) => navigate(routeHref(page)),
});
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
