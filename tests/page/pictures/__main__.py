"""Writes pictures of every page, in both themes and three widths: ``make page-pictures``. With
``--docs`` those of the documents, to ``docs/images``.

Each module here lists those of one page. The server has the records of two weeks.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from page.browser import CONTEXT, WIDTHS, find_chromium, start_chromium
from page.pictures import compare, dashboard, logs, models, playground
from page.pictures.picture import Picture
from page.servers import Servers
from page.shell import Shell

MODULES = (playground, compare, dashboard, logs, models)
THEMES = ("light", "dark")
ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "build/page-pictures"
DOCUMENTED = (
    *("playground-answer", "compare-done", "compare-figures"),
    *("dashboard", "logs-call-timing"),
)
DOCS_FOLDER = ROOT / "docs/images"
DOCS_WIDTH = 1600
QUIET_MS = 3000
"""The longest wait for the end of all requests: a page with a live list always has one."""
SETTLE_MS = 300
"""For what comes a moment after the last request: a chart that is drawn, a transition's end."""


def main() -> None:
    arguments = _arguments()
    chosen = [
        picture
        for module in MODULES
        for picture in module.PICTURES
        if arguments.only in picture.name and (not arguments.docs or picture.name in DOCUMENTED)
    ]
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder))
        try:
            base_url = servers.with_records().base_url
            with start_chromium(find_chromium() or "chromium") as browser:
                for picture in chosen:
                    for name in _take(browser, base_url, picture, arguments):
                        print(name)
        finally:
            servers.stop()


def _take(
    browser: Browser, base_url: str, picture: Picture, arguments: argparse.Namespace
) -> Iterator[str]:
    for width in arguments.widths:
        for theme in arguments.themes:
            viewport = {"width": width, "height": WIDTHS.get(width, 900)}
            context = browser.new_context(**CONTEXT, viewport=viewport, color_scheme=theme)
            shell = Shell(context.new_page(), base_url).open(picture.fragment)
            with suppress(PlaywrightTimeout):
                shell.tab.wait_for_load_state("networkidle", timeout=QUIET_MS)
            picture.prepare(shell)
            shell.tab.wait_for_timeout(SETTLE_MS)
            name = f"{picture.name}-{theme}-{width}.png"
            if arguments.docs:
                name = f"{picture.name}.png"
            shell.tab.screenshot(path=arguments.folder / name)
            context.close()
            yield name
            for fault in shell.faults:
                print(f"  {fault}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="those whose name has this in it")
    parser.add_argument(
        "--docs", action="store_true", help="only those of the documents, to their folder"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--themes", nargs="+", choices=THEMES, default=THEMES)
    parser.add_argument("--widths", nargs="+", type=int, default=list(WIDTHS))
    arguments = parser.parse_args()
    if arguments.docs:
        arguments.folder, arguments.themes, arguments.widths = DOCS_FOLDER, ("light",), [DOCS_WIDTH]
    return arguments


if __name__ == "__main__":
    main()
