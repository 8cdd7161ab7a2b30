"""What surrounds a test run: its own folder, its own places in shared servers, and which servers there are."""

from __future__ import annotations

import importlib.util
import os
import socket
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from tests.machine import binary, chromium

NOTHING_SKIPPED = os.environ.get("GUICHET_NOTHING_SKIPPED") == "1"
"""Set by `make check`: a service test that cannot run is a failure there."""
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")


def isolate() -> Path:
    """Point everything this process writes at a folder of its own; the folder. Called before any test."""
    folder = Path(tempfile.mkdtemp(prefix=f"guichet-test-{WORKER}-"))
    settings.VAR_DIR = folder
    settings.MEDIA_ROOT = str(folder / "files")
    settings.STATIC_ROOT = str(folder / "static")
    (folder / "static").mkdir()  # whitenoise warns of a folder that is not there
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(folder / "test.sqlite3")
    if settings.REDIS_URL:
        # A database of Redis a worker, so that flushing one never touches the test beside it.
        settings.REDIS_URL = f"{settings.REDIS_URL.rstrip('/')}/{1 + int(WORKER.removeprefix('gw')) % 15}"
        settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"] = [settings.REDIS_URL]
        settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL
    return folder


def watch_queries() -> None:
    """Make every request of the test client fail on an N+1 query (models of the frameworks excepted)."""
    from zeal.constants import initialize_app_registry
    from zeal.patch import patch

    initialize_app_registry()
    patch()
    settings.MIDDLEWARE = ["zeal.middleware.zeal_middleware", *settings.MIDDLEWARE]
    foreign = ("wagtail*", "auth", "contenttypes", "account", "sessions")
    settings.ZEAL_ALLOWLIST = [{"model": f"{app}.*"} for app in foreign]


def log_in_freshly() -> None:
    """Let `force_login` be a login with a password that happened just now, as far as sensitive pages ask."""
    user_logged_in.connect(_with_password, dispatch_uid="tests.log_in_freshly")


def _with_password(request: HttpRequest, **_kwargs: Any) -> None:
    if AUTHENTICATION_METHODS_SESSION_KEY not in request.session:
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time()}]


def redis_url() -> str:
    """The Redis of this run, else the one on the usual port; "" when nothing answers."""
    url = settings.REDIS_URL or "redis://127.0.0.1:6379/15"
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379), timeout=1):
            return url
    except OSError:
        return ""


@cache
def missing(marker: str) -> str:
    """Why tests with this marker cannot run here; "" when they can."""
    if marker == "postgresql":
        return (
            "" if settings.DATABASES["default"]["ENGINE"].endswith("postgresql") else "the database is not PostgreSQL"
        )
    if marker == "redis":
        return "" if redis_url() else "no Redis server"
    if marker == "dovecot":
        return "" if binary("dovecot") else "no Dovecot"
    if marker == "clamav":
        return "" if binary("clamd") else "no clamd"
    if marker == "chromium":
        if importlib.util.find_spec("playwright") is None:
            return "no playwright"
        return "" if chromium() else "no Chromium"
    if marker == "hylafax":
        from tests.servers import hylafax

        return hylafax.missing()
    raise ValueError(marker)
