"""The command line: ``headway``. Talks HTTP like any client, except for ``serve`` itself."""


def main() -> None:
    """What the ``headway`` script and ``python -m headway`` run."""
    from headway.cli.app import run

    run()


__all__ = ["main"]
