"""The real ASGI site (pages and sockets), quickly: a process that has loaded everything forks one for each test.

It takes lines, `start PORT APPLICATION` and `stop`, and gives each back when it is done. What a site keeps in memory ends with it.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.processes import BASE, await_port, free_port, wait_for_no_disk


class Sites:
    """`serving()` is a site on the database and the files of this run."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._log = (Path(environment["GUICHET_VAR"]) / f"sites-{time.monotonic_ns()}.log").open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.site"],
            cwd=BASE,
            env={**environment, "DEBUG": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    @contextmanager
    def serving(self, application: str = "portal.asgi:application", port: int = 0) -> Iterator[str]:
        """The address of a site that is there until it is killed at the end; one at a time."""
        port = port or free_port()
        self._do(f"start {port} {application}")
        try:
            await_port(port, self._told)
            yield f"http://127.0.0.1:{port}"
        finally:
            self._do("stop")

    def _do(self, order: str) -> None:
        self._process.stdin.write(f"{order}\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]
        assert self._process.stdout.readline() == f"{order}\n", self._told()  # type: ignore[union-attr]

    def _told(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    def close(self) -> None:
        """End the process, and what it has started."""
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait(60)
        self._process.stdout.close()  # type: ignore[union-attr]
        self._log.close()


def main() -> None:
    """Fork and kill as it is told, until nobody is there to tell."""
    from django.conf import settings

    # This app makes an event loop as soon as it is loaded, and a loop cannot be shared with a fork.
    settings.INSTALLED_APPS.remove("daphne")
    import portal.asgi  # noqa: F401

    wait_for_no_disk()
    warm_up()
    gc.freeze()  # what is loaded is shared with the forks, and looked through by none of them
    site = 0
    for order in sys.stdin:
        if order.startswith("start"):
            site = os.fork()
            if not site:
                serve(*order.split()[1:])
        elif site:
            kill(site)
            site = 0
        sys.stdout.write(order)
        sys.stdout.flush()
    if site:
        kill(site)


def warm_up() -> None:
    """Load what the first page would: all addresses with their views, and the templates."""
    from django.template import TemplateSyntaxError, engines
    from django.template.loader import get_template
    from django.urls import get_resolver

    _ = get_resolver().reverse_dict
    for folder in engines["django"].template_dirs:  # type: ignore[attr-defined]
        for path in Path(folder).rglob("*.html"):
            with suppress(TemplateSyntaxError):  # some are of apps that are not installed
                get_template(str(path.relative_to(folder)))


def kill(child: int) -> None:
    # Daphne would wait for browsers that still hold a socket.
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def serve(port: str, application: str) -> None:
    """Be the site; never returns."""
    try:
        devnull = os.open(os.devnull, os.O_RDWR)
        os.dup2(devnull, 0)
        os.dup2(2, 1)
        from daphne.cli import CommandLineInterface
        from django.conf import settings

        settings.BASE_URL = settings.WAGTAILADMIN_BASE_URL = f"http://127.0.0.1:{port}"
        # A page that is left on a busy machine, and whose socket was given up meanwhile, would complain of it.
        CommandLineInterface().run(["-b", "127.0.0.1", "-p", port, "--websocket_connect_timeout", "60", application])
    finally:
        os._exit(70)


if __name__ == "__main__":
    main()
    os._exit(0)  # to take apart all that is loaded would take a second, and more on a busy machine
