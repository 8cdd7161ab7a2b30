"""What frameworks tell us of logins, passwords and second factors, put into the audit log."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.auth import signals as auth
from django.dispatch import Signal

from core import audit
from core.limits import hit

FAILURES_AN_HOUR = 60
"""Failed logins from one address that are kept."""


def _of_user(deed: str, detail: str) -> Any:
    def note(user: Any = None, **_kwargs: Any) -> None:
        if user is not None:
            audit.record(deed, by=user, about=user, detail=detail)

    return note


def login_failed(credentials: dict[str, Any], **_kwargs: Any) -> None:
    """Somebody gave a wrong password, or an address that nobody has."""
    if hit(f"audit-login-failed:{audit.client.get()}", limit=FAILURES_AN_HOUR, seconds=3600):
        tried = credentials.get("email") or credentials.get("username") or ""
        audit.record("login-failed", by=None, name=str(tried))


def address_changed(user: Any, from_email_address: Any, to_email_address: Any, **_kwargs: Any) -> None:
    """Old and new address agreed."""
    old = from_email_address.email if from_email_address else "-"
    audit.record("address", by=user, about=user, detail=f"{old} → {to_email_address.email}")


LISTENERS: tuple[tuple[Signal, Any], ...] = (
    (auth.user_logged_in, _of_user("login", "")),
    (auth.user_logged_out, _of_user("logout", "")),
    (auth.user_login_failed, login_failed),
    (account.password_set, _of_user("password", "set")),
    (account.password_changed, _of_user("password", "changed")),
    (account.password_reset, _of_user("password", "reset by mail")),
    (account.email_changed, address_changed),
    (mfa.authenticator_added, _of_user("second-factor", "added")),
    (mfa.authenticator_removed, _of_user("second-factor", "removed")),
    (mfa.authenticator_reset, _of_user("second-factor", "new recovery codes")),
    (mfa.authentication_failed, _of_user("login-failed", "second factor")),
)
"""Signal and who hears it; connected once, when the portal is ready."""


def connect() -> None:
    """Listen from now on."""
    for number, (signal, listener) in enumerate(LISTENERS):
        signal.connect(listener, dispatch_uid=f"portal.deeds.{number}", weak=False)
