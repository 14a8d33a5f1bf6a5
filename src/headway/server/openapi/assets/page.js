// The page follows the system's choice of light or dark, also when it changes.
const THEMES = {
  light: {
    theme: "light",
    "bg-color": "#ffffff",
    "text-color": "#1d2733",
    "primary-color": "#0b6e4f",
    "nav-bg-color": "#f5f7f8",
    "nav-text-color": "#3c4a57",
    "nav-hover-bg-color": "#e7ecee",
    "nav-hover-text-color": "#0b6e4f",
    "nav-accent-color": "#0b6e4f",
    "nav-accent-text-color": "#ffffff",
  },
  dark: {
    theme: "dark",
    "bg-color": "#11161c",
    "text-color": "#d5dde5",
    "primary-color": "#4cc38a",
    "nav-bg-color": "#0c1015",
    "nav-text-color": "#a8b4c0",
    "nav-hover-bg-color": "#1a222b",
    "nav-hover-text-color": "#4cc38a",
    "nav-accent-color": "#4cc38a",
    "nav-accent-text-color": "#0c1015",
  },
};

const dark = matchMedia("(prefers-color-scheme: dark)");

function dress() {
  const docs = document.querySelector("rapi-doc");
  for (const [name, value] of Object.entries(THEMES[dark.matches ? "dark" : "light"])) {
    docs.setAttribute(name, value);
  }
}

dark.addEventListener("change", dress);
dress();

// Requests go to the server of this page, also behind a path prefix: the component below takes
// addresses without a host for ones of the root.
const server = new URL(".", location.href).href.replace(/\/$/, "");
const docs = document.querySelector("rapi-doc");
docs.setAttribute("server-url", server);
docs.setAttribute("default-api-server", server);

// A server with keys of its own refuses the forms below without one. The key stays in this page's
// memory.
const form = document.querySelector("#key");
const input = form.querySelector("input");

async function accepts(headers) {
  return (await fetch("api/engine/providers", { headers })).status !== 401;
}

async function useKey(event) {
  event.preventDefault();
  const key = input.value.trim();
  const said = form.querySelector("output");
  if (!(await accepts({ "x-api-key": key }).catch(() => false))) {
    said.value = "The server refused this key.";
    return;
  }
  docs.setApiKey("x-api-key", key);
  said.value = "";
  form.hidden = true;
}

form.addEventListener("submit", useKey);
accepts({}).then((isOpen) => (form.hidden = isOpen), () => {});
