"""axe-core in a tab: what it finds is what keeps people from using the page."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from page.shell import Shell

AXE = Path(__file__).parents[2] / "tools/page/node_modules/axe-core/axe.min.js"
SERIOUS = ("serious", "critical")
RUN = """async (scope) => {
  const { violations } = await axe.run(scope ?? document, { resultTypes: ["violations"] });
  return violations.map(({ id, impact, help, nodes }) => ({
    id, impact, help, nodes: nodes.map((node) => `${node.target}: ${node.failureSummary}`),
  }));
}"""


def assert_accessible(shell: Shell, scope: str | None = None) -> None:
    """Nothing serious, in the whole document or in the elements of a CSS selector."""
    if not shell.tab.evaluate("() => 'axe' in window"):
        shell.tab.evaluate(_axe())
    found: list[dict[str, Any]] = shell.tab.evaluate(RUN, scope)
    serious = [each for each in found if each["impact"] in SERIOUS]
    assert not serious, "\n".join(_describe(each) for each in serious)


@lru_cache(1)
def _axe() -> str:
    return AXE.read_text()


def _describe(violation: dict[str, Any]) -> str:
    nodes = "\n".join(f"  {node}" for node in violation["nodes"])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}\n{nodes}"
