"""The command line: ``headway``. Talks HTTP like any client, except for ``serve`` itself."""


def main() -> None:
    """What the ``headway`` script and ``python -m headway`` run."""
    import gc
    import os
    import sys

    gc.disable()  # what is imported stays: a server looks for garbage once it listens
    from headway.cli import plain

    asked = plain.read(sys.argv[1:], os.environ)
    if asked is not None:
        sys.exit(plain.run(asked))
    gc.enable()
    from headway.cli.app import run

    run()


__all__ = ["main"]
