"""The command line, ``headway``: serves, calls a gateway, and reads what was recorded."""


def main() -> None:
    """Entry point of the ``headway`` script and of ``python -m headway``."""
    import gc
    import os
    import sys

    if sys.argv[1:2] == ["serve"]:
        _block_reload()
    gc.disable()  # imported objects stay: a server enables collection once it listens
    from headway.cli import serve_parser, terminal

    terminal.open_missing_streams()
    try:
        arguments = serve_parser.parse(sys.argv[1:], os.environ)
        if arguments is not None:
            sys.exit(serve_parser.run(arguments))
        gc.enable()
        from headway.cli.app import run

        run()
    finally:
        terminal.abandon(sys.stderr)


def _block_reload() -> None:
    """SIGHUP, which would end the process, waits until the server can reload."""
    import signal

    if hasattr(signal, "SIGHUP"):
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP,))


__all__ = ["main"]
