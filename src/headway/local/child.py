"""The process that holds the model: llama.cpp's HTTP server, and a promise to die with its parent.

Run by file path and importing nothing else of this package, so that it works wherever the parent's
interpreter does, and a defect in native code takes nobody else along. Three descriptors speak:

- stdin is a pipe whose other end only the parent holds. Its end of file means that the parent is
  gone, however it went; this alone must suffice where the kernel offers nothing better.
- stdout gets one line, ``READY http://127.0.0.1:PORT``, when the model answers.
- stderr is the log.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
import threading
from typing import Any

READY = "READY "
PR_SET_PDEATHSIG = 1
"""prctl(2), from linux/prctl.h."""

CONTEXT = 2048
"""Tokens a conversation, prompt and answer together; each 1024 cost 23 MB of memory. At 8 bits a
value they cost half, but then a prompt of 2000 tokens took 59 s instead of 23."""

HTTP_THREADS = 128
"""A stream holds a thread of the server. With its default, the 20th stream blocks ``/health``."""


def main() -> None:
    args = _arguments().parse_args()
    die_with(args.parent)
    try:
        server = serve(args)  # it lives as long as this reference
    except (ImportError, RuntimeError) as error:
        sys.exit(str(error))  # a traceback would push the server's own words out of the log
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


def die_with(parent: int) -> None:
    """Ask the kernel where it can be asked, and watch the pipe everywhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(0)
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)  # not sys.exit: native threads are at work, and nobody waits for their results


def serve(args: argparse.Namespace) -> Any:
    """Load the model and listen. The constructor returns when the model is ready and keeps Python's
    lock until then (0.5 to 2 s). Raises RuntimeError; the reason is in the log."""
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
    params.fit_params = False  # measuring the devices takes longer than this model is worth
    params.ui = False
    params.endpoint_slots = False  # it would show one caller's prompt to another
    params.cors_origins = ""  # no web page may read an answer
    params.cors_credentials = False
    params.verbosity = 1  # errors; a warning a cancelled request would bury them
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
