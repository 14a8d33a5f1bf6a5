"""The process that runs the model: llama.cpp's HTTP server, which exits with its parent.

Run by file path and importing nothing else of this package, so that it works with every interpreter
that the parent works with. A crash in native code does not affect the gateway.

- stdin is a pipe whose other end only the parent holds: end of file means that the parent is gone.
- stdout gets one line, ``READY http://127.0.0.1:PORT``, when the model is ready.
- stderr is the log.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from typing import Any

READY = "READY "

CONTEXT = 2048
"""Tokens of a conversation, prompt and output together; each 1024 take 23 MB of memory. At 8 bits a
value they take half, but then a prompt of 2000 tokens took 59 s instead of 23."""

HTTP_THREADS = 128
"""A stream holds a thread of the server. With its default, the 20th stream blocks ``/health``."""


def main() -> None:
    args = _arguments().parse_args()
    exit_with_parent(args.parent)
    try:
        server = serve(args)  # it runs as long as it is referenced
    except (ImportError, RuntimeError) as error:
        sys.exit(
            str(error)
        )  # without a traceback, which would push the server's lines out of the log
    os.write(1, f"{READY}{server.listening_address}\n".encode())
    threading.Event().wait()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Serve one local model on the loopback interface.")
    parser.add_argument("--model", required=True, help="path of the GGUF file")
    parser.add_argument("--alias", required=True, help="the model's name in answers")
    parser.add_argument("--parent", required=True, type=int, help="process to die with")
    parser.add_argument("--port", type=int, default=0, help="0 lets the kernel choose")
    parser.add_argument("--threads", type=int, default=1, help="threads that compute")
    parser.add_argument("--parallel", type=int, default=4, help="conversations at once")
    return parser


def exit_with_parent(parent: int) -> None:
    """Exit when the parent does: now if it is gone already, else at end of file on stdin."""
    if os.getppid() != parent:
        os._exit(0)
    threading.Thread(target=_wait_for_end_of_file, daemon=True).start()


def _wait_for_end_of_file() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)  # not sys.exit: native threads are at work, and their results are not needed


def serve(args: argparse.Namespace) -> Any:
    """Load the model and listen. The constructor returns when the model is ready and holds the
    interpreter's lock until then (0.5 to 2 s). Raises RuntimeError; the reason is in the log."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = args.model
    params.model_alias = {args.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = args.port
    params.n_parallel = args.parallel
    params.n_ctx = CONTEXT * args.parallel
    params.cpuparams.n_threads = args.threads
    params.n_threads_http = HTTP_THREADS
    params.cache_ram_mib = 0  # else prompts are kept in up to 8 GB of memory
    params.cache_idle_slots = False
    params.fit_params = False  # measuring the devices takes longer than this small model saves
    params.ui = False
    params.endpoint_slots = False  # it would show one client's prompt to another
    params.cors_origins = ""  # no web page may read a response
    params.cors_credentials = False
    params.verbosity = 1  # errors only: every cancelled request would log a warning
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
