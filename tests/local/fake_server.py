"""The child with the model left out: the same start, promises and exit, but a server of five lines.

``--alias`` says how it behaves: see ``serve``.
"""

from __future__ import annotations

import argparse
import http.server
import os
import sys
import threading
import time

from headway.local import llama_server


class Server(http.server.ThreadingHTTPServer):
    @property
    def listening_address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Unwell(Health):
    def do_GET(self) -> None:
        self.send_error(503)


def serve(args: argparse.Namespace) -> Server:
    if args.alias == "broken":
        sys.exit("cannot read the model")
    if args.alias == "silent":
        time.sleep(60)
    if args.alias == "stubborn":
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server = Server(("127.0.0.1", args.port), Unwell if args.alias == "unwell" else Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if args.alias == "brief":
        threading.Timer(0.2, os._exit, [7]).start()
    return server


if __name__ == "__main__":
    llama_server.serve = serve
    llama_server.main()
