"""By what, and when, the person of a session proved who he is. Written by allauth at every login and proof."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY, record_authentication
from django.conf import settings
from django.http import HttpRequest

from core.sessions import end_sessions

RECENT_SECONDS = 15 * 60
"""So long after a proof sensitive pages open without another one (S-82)."""
FORM_SECONDS = 60 * 60
"""So long may whoever opened a sensitive form take to fill it in."""

_SECOND = "mfa"


def _proofs(session: Mapping[str, Any]) -> list[dict[str, Any]]:
    return session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []


def second_factor_missing(session: Mapping[str, Any]) -> bool:
    """True when colleagues must show a second factor here, and this session has not.

    A session never loses its proof: whoever may take a factor away ends the sessions of its owner.
    """
    required = settings.STAFF_SECOND_FACTOR == "required"
    return required and not any(proof.get("method") == _SECOND for proof in _proofs(session))


def is_recent(session: Mapping[str, Any], seconds: float = RECENT_SECONDS) -> bool:
    """True when the person proved himself within `seconds`, by login or again."""
    latest = max((proof.get("at", 0) for proof in _proofs(session)), default=0)
    return time.time() - latest < seconds


def second_factor_set_up(request: HttpRequest, user: Any, authenticator: Any, **_kwargs: Any) -> None:
    """Setting up takes a password and a right code: the session that did both goes on, and all others of `user` end."""
    if authenticator.type == authenticator.Type.TOTP:
        extra = {"id": authenticator.pk, "type": authenticator.type, "reauthenticated": True}
        record_authentication(request, user, method=_SECOND, **extra)
        end_sessions(user.pk, but=request.session.session_key or "")


def second_factor_taken_away(request: HttpRequest, user: Any, authenticator: Any, **_kwargs: Any) -> None:
    """From now on a password is enough: the session that did it goes on, and all others of `user` end (S-81)."""
    if authenticator.type == authenticator.Type.TOTP:
        end_sessions(user.pk, but=request.session.session_key or "")
