"""The command line, ``headway``. All commands but ``serve`` are HTTP clients of a gateway."""


def main() -> None:
    """Entry point of the ``headway`` script and of ``python -m headway``."""
    import gc
    import os
    import sys

    gc.disable()  # imported objects stay: a server enables collection once it listens
    from headway.cli import serve_parser, terminal

    terminal.open_missing_streams()
    arguments = serve_parser.parse(sys.argv[1:], os.environ)
    if arguments is not None:
        sys.exit(serve_parser.run(arguments))
    gc.enable()
    from headway.cli.app import run

    run()


__all__ = ["main"]
