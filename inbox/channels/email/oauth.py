"""OAuth 2 for mailboxes of Microsoft 365 and Google: a stored refresh token buys short-lived access tokens."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.outbound import OutboundRefused, post_form
from core.said import said as _
from inbox.channels.email.faults import MailFault

MICROSOFT = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
GOOGLE = "https://oauth2.googleapis.com/token"
MICROSOFT_SCOPE = "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access"
_EARLY = 120
"""Seconds before its end at which a token is not used any more."""
_SHORTEST_RETRY = 60
"""A refused grant is not asked about again before that many seconds."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a refresh needs (RFC 6749, 6)."""

    provider: str
    tenant: str
    client_id: str
    client_secret: str
    refresh_token: str

    @property
    def endpoint(self) -> str:
        """Where tokens are issued. The tenant is a name or a UUID and nothing else."""
        if self.provider == "google":
            return GOOGLE
        return MICROSOFT.format(tenant=re.sub(r"[^A-Za-z0-9.\-]", "", self.tenant) or "common")


_lock = threading.Lock()
_tokens: dict[Grant, tuple[str, float]] = {}
_refused: dict[Grant, tuple[str, float]] = {}


def access_token(grant: Grant, rotated: Callable[[str], object] | None = None) -> str:
    """A token that is good for a while yet. `rotated` is told when the issuer gave a new refresh token.

    Raises MailFault. Blocks for up to 15 seconds; call it outside event loops.
    """
    with _lock:
        token, until = _tokens.get(grant, ("", 0.0))
        if time.time() < until - _EARLY:
            return token
        said, since = _refused.get(grant, ("", 0.0))
        if time.time() < since + _SHORTEST_RETRY:
            raise MailFault(said, account=True)
        answer = _refresh(grant)
        token, until = str(answer["access_token"]), time.time() + float(answer.get("expires_in", 3600))
        _tokens[grant] = token, until
        fresh = str(answer.get("refresh_token", ""))
    if fresh and fresh != grant.refresh_token and rotated:
        rotated(fresh)
    return token


def forget(grant: Grant) -> None:
    """The server refused the token: get another one next time."""
    with _lock:
        _tokens.pop(grant, None)


def xoauth2(user: str, token: str) -> bytes:
    """The initial response of the SASL mechanism XOAUTH2, before base64."""
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


def _refresh(grant: Grant) -> dict[str, Any]:
    fields = {
        "grant_type": "refresh_token",
        "client_id": grant.client_id,
        "client_secret": grant.client_secret,
        "refresh_token": grant.refresh_token,
    }
    if grant.provider == "microsoft":
        fields["scope"] = MICROSOFT_SCOPE
    try:
        answer = post_form(grant.endpoint, {name: value for name, value in fields.items() if value})
    except (OSError, OutboundRefused, http.client.HTTPException) as fault:
        raise MailFault(_("The login service could not be reached: %(detail)s", detail=str(fault)[:150])) from fault
    content = answer.json()
    if answer.status == 200 and isinstance(content, dict) and content.get("access_token"):
        _refused.pop(grant, None)
        return content
    code = str(content.get("error", answer.status))[:60] if isinstance(content, dict) else str(answer.status)
    if answer.status >= 500 or answer.status == 429:
        raise MailFault(_("The login service is out of order just now (%(code)s).", code=code))
    text = _(
        "The login service does not accept the stored consent any more (%(code)s). Connect the mailbox again.",
        code=code,
    )
    _refused[grant] = text, time.time()
    raise MailFault(text, account=True)
