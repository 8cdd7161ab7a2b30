"""Everything in one process."""

from __future__ import annotations

# Daphne chooses the event loop of the reactor, so it is imported before anything that imports Twisted.
from daphne.server import Server  # isort: skip

import asyncio
import sys
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from twisted.internet import reactor

from core.running import Crew
from inbox import live
from portal import processes

LONGEST_FRAME = 64 * 1024
"""Bytes of one message over a socket (S-76)."""
CONNECT_SECONDS = 60
"""After a restart every tab comes back in one moment, and is let in one after the other (R-27)."""


class Command(BaseCommand):
    """`serve [--host H] [--port P]`: pages, sockets, mailboxes, the mail door, workers and the clock."""

    help = "Run the whole product in one process: web, sockets, mail door, worker, scheduler."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See the class."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Ends on SIGINT or SIGTERM, within five seconds."""
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # WhiteNoise warns when it is not there
        if not settings.WHITENOISE_USE_FINDERS and not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
            # Without its list of assets no page can be drawn, not even the one that says so.
            self.stdout.write("Collecting the assets (once; after an update: manage.py collectstatic)")
            call_command("collectstatic", interactive=False, verbosity=0)
        # After the folder is there; the application looks for it when it is made.
        from portal.asgi import application

        # A message of a chat goes from thread to thread a dozen times, and waits so long behind a busy one each time.
        sys.setswitchinterval(0.001)
        crew = Crew()
        processes.add_workers(crew)
        processes.add_listeners(crew)
        host, port = options["host"], options["port"]
        server = Server(
            application,
            endpoints=[f"tcp:port={port}:interface={host.replace(':', chr(92) + ':')}"],
            http_timeout=120,
            request_buffer_size=64 * 1024,
            websocket_max_message_size=LONGEST_FRAME,
            websocket_max_frame_size=LONGEST_FRAME,
            websocket_connect_timeout=CONNECT_SECONDS,
            websocket_handshake_timeout=CONNECT_SECONDS,
            ping_interval=20,
            ping_timeout=30,
            application_close_timeout=2,
            server_name="guichet",
            verbosity=0,
            ready_callable=lambda: self._ready(crew, host, port),
        )
        server.run()
        if not server.listening_addresses:
            self.stderr.write(
                f"Port {port} on {host} cannot be listened on: something runs there already."
                f" Choose another one: make run PORT={port + 1}, or serve --port {port + 1}."
            )
        processes.end(crew)

    def _ready(self, crew: Crew, host: str, port: int) -> None:
        # Pushes of the workers are handed to this loop: the in-memory layer belongs to it.
        live.bind_loop(asyncio.get_event_loop())
        reactor.callWhenRunning(lambda: threading.Timer(0.3, crew.start).start())
        self.stdout.write(f"Serving http://{host}:{port} – end with Ctrl-C")
        if settings.SMTP_DOOR:
            self.stdout.write(f"Mail for our channels is taken by SMTP on {settings.SMTP_DOOR}")
        self.stdout.flush()
