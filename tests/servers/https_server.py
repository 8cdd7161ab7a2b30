"""A web server with TLS that answers as told."""

from __future__ import annotations

import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from tests.servers.certificates import authority


class HttpsServer:
    """`answer` is `(status, headers, body)`; a body may be an iterator of pieces.

    `asked` keeps the forms, `requests` the headers (lower case) and bytes of all.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = authority()
        self.asked: list[dict[str, str]] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer: tuple[int, dict[str, str], object] = (200, {}, b"{}")
        self.unbuffered = False
        """Each line of the head goes out by itself."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append(({name.lower(): value for name, value in self.headers.items()}, content))
                form = content.decode()
                outer.asked.append({name: values[0] for name, values in parse_qs(form).items()})
                status, headers, body = outer.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                    if outer.unbuffered:
                        self.flush_headers()
                self.end_headers()
                try:
                    for piece in [body] if isinstance(body, bytes) else body:
                        self.wfile.write(piece)
                        self.wfile.flush()
                except OSError:
                    pass

            def log_message(self, *_args: object) -> None:
                pass

        certificate, key = self.authority.issue(folder, "localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_args: None  # a client that hangs up is no news
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_address[1]}/token"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def dripping(seconds: float):
    """A body that never ends."""
    while True:
        yield b"x"
        time.sleep(seconds)
