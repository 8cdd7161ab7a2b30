"""The two servers of a mailbox, as settings and secrets describe them."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inbox.channels.email.oauth import Grant


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect and as whom. `security` is `tls`, `starttls` or `none`; there is never a fall-back."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = ""
    grant: Grant | None = None
    ca: str = ""

    def context(self) -> ssl.SSLContext:
        """TLS as it must be: at least 1.2, chain and name verified."""
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca:
            context.load_verify_locations(cadata=self.ca)
        return context


def imap_server(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Server | None:
    """Where mail is fetched; None when the channel has no mailbox."""
    return _server("imap", settings, secrets)


def smtp_server(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Server | None:
    """Where mail is handed over; None when the channel does not send."""
    return _server("smtp", settings, secrets)


def _server(side: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Server | None:
    host = settings.get(f"{side}_host", "")
    if not host:
        return None
    auth = settings.get("auth", "password")
    user = settings.get(f"{side}_user", "") or (settings.get("imap_user", "") if auth != "password" else "")
    grant = None
    if auth != "password":
        grant = Grant(
            provider=auth,
            tenant=settings.get("oauth_tenant", ""),
            client_id=settings.get("oauth_client_id", ""),
            client_secret=secrets.get("oauth_client_secret", ""),
            refresh_token=secrets.get("oauth_refresh_token", ""),
        )
    return Server(
        host=host,
        port=int(settings.get(f"{side}_port") or (993 if side == "imap" else 587)),
        security=settings.get(f"{side}_security") or ("tls" if side == "imap" else "starttls"),
        user=user,
        password=secrets.get(f"{side}_password", ""),
        grant=grant,
        ca=settings.get("tls_ca", ""),
    )
