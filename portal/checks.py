"""The deployment's self-test: what an administrator would otherwise have to remember. Run by `check --deploy`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

KEY_LENGTH = 50


@register(Tags.security, deploy=True)
def deployment(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    """Keys, addresses and cookies as a deployment needs them."""
    found: list[CheckMessage] = []
    keys = {
        "SECRET_KEY": settings.SECRET_KEY,
        "CHANNEL_KEY": settings.CHANNEL_KEYS[0],
        "TOKEN_KEY": settings.TOKEN_KEYS[0],
    }
    found += [
        Error(f"{name} must have {KEY_LENGTH} characters at least.", hint="openssl rand -base64 48", id="guichet.E001")
        for name, key in keys.items()
        if len(key) < KEY_LENGTH
    ]
    if len(set(keys.values())) < len(keys):
        found.append(Error("SECRET_KEY, CHANNEL_KEY and TOKEN_KEY must differ.", id="guichet.E002"))
    if not settings.BASE_URL.startswith("https://"):
        found.append(Error("BASE_URL must be the public https:// address.", id="guichet.E003"))
    if "*" in settings.ALLOWED_HOSTS:
        found.append(Error("ALLOWED_HOSTS must name the hosts.", id="guichet.E004"))
    if settings.DEBUG or settings.DEMO:
        found.append(Error("DEBUG and GUICHET_DEMO must be off.", id="guichet.E005"))
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") and settings.REDIS_URL:
        found.append(Warning("Several processes need PostgreSQL: SQLite has one writer.", id="guichet.W001"))
    if not settings.USERCONTENT_URL:
        found.append(
            Warning(
                "Files of strangers are served from the same origin as the site.",
                hint="Set USERCONTENT_URL to another host name of this server.",
                id="guichet.W002",
            )
        )
    if not settings.TRUSTED_PROXIES:
        found.append(
            Warning(
                "No TRUSTED_PROXIES: all visitors behind a proxy count as one address.",
                hint="Name the proxy's address; it must overwrite X-Forwarded-For and X-Forwarded-Proto.",
                id="guichet.W003",
            )
        )
    return found
