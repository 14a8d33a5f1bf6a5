"""uvicorn without its command line is whole for whoever comes later."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = """
import sys
from headway.server.uvicorn_core import import_uvicorn
import_uvicorn()
"""

WHOLE = {
    "nothing of the command line is there": (
        "assert not {'click', 'uvicorn.main'} & set(sys.modules)"
    ),
    "the server is the real one": (
        "import uvicorn, uvicorn.config, uvicorn.server\n"
        "assert uvicorn.Server is uvicorn.server.Server\n"
        "assert uvicorn.Config is uvicorn.config.Config\n"
        "assert uvicorn.__version__"
    ),
    "run comes when it is asked for": (
        "import uvicorn\n"
        "assert uvicorn.run.__module__ == 'uvicorn.main'\n"
        "assert callable(uvicorn.main)\n"
        "assert sys.modules['uvicorn.main'].Server is uvicorn.Server"
    ),
    "the command comes when it is asked for": (
        "from uvicorn import main\nassert type(main).__module__.startswith('click')"
    ),
    "so does the module": "from uvicorn.main import run\nassert callable(run)",
    "what is not there is missed": (
        "import uvicorn\n"
        "try:\n    uvicorn.nothing\n"
        "except AttributeError as error:\n"
        "    assert str(error) == \"module 'uvicorn' has no attribute 'nothing'\"\n"
        "else:\n    raise AssertionError"
    ),
    "a second time does nothing": "import_uvicorn()\nassert 'click' not in sys.modules",
}  # fmt: skip


def run(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("then", WHOLE.values(), ids=WHOLE)
def test_it_is_whole(then: str) -> None:
    run(ASK + then)


def test_one_that_is_imported_already_stays_as_it_is() -> None:
    run("import uvicorn\nbefore = dict(vars(uvicorn))\n" + ASK + "assert vars(uvicorn) == before")


def test_a_version_that_takes_more_of_it_is_imported_whole() -> None:
    run(
        "from headway.server import uvicorn_core\n"
        "uvicorn_core.TAKEN = ('main',)\n"
        "uvicorn_core.import_uvicorn()\n"
        "import sys\n"
        "assert 'uvicorn' not in sys.modules\n"
        "import uvicorn\n"
        "assert {'uvicorn.main', 'click'} <= set(sys.modules)\n"
        "assert uvicorn.Server and uvicorn.main and uvicorn.run"
    )
