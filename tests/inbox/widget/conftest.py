"""A page of another origin with the widget on it, and a server of the protocol that does as it is told."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.processes import free_port, running

KEY = "demo-key-0001"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css"></head><body><main><h1>Shop</h1><p>Coffee machines</p>
<p><button id="own">Own button</button></p></main>
<script nonce="n0">window.guichetSettings = {settings}; {before}</script>
<script nonce="n0" async src="{server}/widget.js" data-channel="{key}"></script></body></html>"""


@dataclass
class Host:
    """A web site of somebody else: real HTTP on a port of its own, with a strict policy."""

    server: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    before: str = ""
    css: str = ""
    html: str = PAGE
    key: str = KEY
    policy: str = (
        "default-src 'none'; script-src 'nonce-n0'; style-src 'self'; connect-src {server} {socket};"
        " img-src data: {server}; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'"
    )
    url: str = ""

    def page(self) -> bytes:
        words = {"settings": json.dumps(self.settings), "before": self.before, "server": self.server, "key": self.key}
        html = self.html
        for name, value in words.items():
            html = html.replace("{" + name + "}", value)
        return html.encode()


@contextlib.contextmanager
def hosting(server: str) -> Iterator[Host]:
    """Serve pages that embed the widget of `server`, until the end."""
    host = Host(server)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            css = self.path == "/page.css"
            content = host.css.encode() if css else host.page()
            self.send_response(200)
            self.send_header("Content-Type", "text/css" if css else "text/html")
            socket = host.server.replace("http", "ws")
            self.send_header("Content-Security-Policy", host.policy.format(server=host.server, socket=socket))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        # Another host name and another port: nothing of the page is the server's own.
        host.url = f"http://localhost:{httpd.server_port}/"
        yield host
        httpd.shutdown()


@dataclass
class Server:
    """The scripted server, from outside."""

    url: str

    def control(self, **said: Any) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/control", json.dumps(said).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def plan(self, **change: Any) -> None:
        self.control(set=change)

    def received(self, path: str, door: str = "") -> list[dict[str, Any]]:
        """What came for this path or `do`, over one door or both."""
        found = self.control()["received"]
        return [r for r in found if path in (r.get("path"), r["said"].get("do")) and door in ("", r["door"])]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port = free_port()
    env = {**os.environ, "GUICHET_VAR": str(tmp_path_factory.mktemp("chat")), "PYTHONUNBUFFERED": "1"}
    command = [
        sys.executable,
        "-m",
        "daphne",
        "-b",
        "127.0.0.1",
        "-p",
        str(port),
        "tests.servers.chat_server:application",
    ]
    with running(command, env, port=port):
        yield Server(f"http://127.0.0.1:{port}")


@pytest.fixture
def server(process: Server) -> Server:
    process.control(fresh=True)
    return process


@pytest.fixture
def host(server: Server) -> Iterator[Host]:
    with hosting(server.url) as host:
        yield host


OPEN_ROOTS = """
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (how) { window.__mode = how.mode; return attach.call(this, {...how, mode: "open"}); };
"""
"""Playwright and axe look into open shadow roots only; the widget's is closed, and `window.__mode` says so."""


def visit(browser: Any, host: Host, wait: bool = True, clock: bool = False, **options: Any) -> Any:
    """A visitor's page in a browser of his own, with `page.complaints`: what the console said.

    With `clock` the test moves the page's time, by `page.clock`.
    """
    context = browser.new_context(**{"locale": "en-GB", **options})
    context.add_init_script(OPEN_ROOTS)
    if clock:
        context.clock.install()
    return tab(context, host, wait)


def tab(context: Any, host: Host, wait: bool = True) -> Any:
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.complaints = []
    page.on("console", lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: page.complaints.append(str(e)))
    page.heard = []  # what the frames of the server were about
    page.on("websocket", lambda socket: socket.on("framereceived", lambda f: page.heard.append(json.loads(f)["about"])))
    page.goto(host.url)
    if wait:
        page.locator("guichet-chat .launcher").wait_for()
    return page


def say(page: Any, text: str) -> None:
    field = page.get_by_label("Your message")
    field.fill(text)
    field.press("Enter")


def opened(browser: Any, host: Host, **options: Any) -> Any:
    page = visit(browser, host, **options)
    page.locator(".launcher").click()
    return page


def shown(page: Any) -> list[str]:
    """The talk as it stands on the screen, a line a message."""
    return page.locator(".bubble").all_inner_texts()
