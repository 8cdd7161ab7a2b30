"""The audit log: security-relevant deeds, in a chain that shows every later change (S-88).

Two layers hold apart from each other. Triggers in the database refuse UPDATE and DELETE, whoever asks. And each row is
sealed, with a key that is not in the database, over its content and the seal before it: whoever gets past the triggers
cannot rewrite a row unnoticed. Each entry is a log line too, so that a cut at the end of the chain shows elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import time
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from core.limits import hit
from core.models import AuditEntry
from core.tokens import derived_key

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser
    from django.utils.functional import Promise

logger = logging.getLogger(__name__)

client: ContextVar[str] = ContextVar("audit_client", default="")
"""Address of whoever asked for what is done now; empty outside of a request."""

DEEDS: dict[str, str | Promise] = {
    "login": _("Logged in"),
    "login-failed": _("Login failed"),
    "logout": _("Logged out"),
    "denied": _("Asked for something not theirs"),
    "password": _("Changed a password"),
    "address": _("Changed an e-mail address"),
    "second-factor": _("Changed a second factor"),
    "roles": _("Changed roles"),
    "added": _("Added"),
    "changed": _("Changed"),
    "deleted": _("Deleted"),
    "export": _("Exported"),
    "released": _("Released what was parked"),
}
"""Name of a deed → what staff read."""

DENIALS_AN_HOUR = 60
"""Refusals of one person that are kept; who scans a thousand addresses is seen by the first of them."""
_strangers: deque[float] = deque(maxlen=DENIALS_AN_HOUR)
"""When this process noted refusals of people without a login: a flood of them fills no disk and asks no database."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LOCK = 0x61756469
"""Advisory lock of PostgreSQL: one writer at a time carries the chain on."""

TRIGGERS = {
    "postgresql": (
        """CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$""",
        """CREATE TRIGGER audit_rows BEFORE UPDATE OR DELETE ON core_auditentry
        FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_table BEFORE TRUNCATE ON core_auditentry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    ),
    "sqlite": (
        *(
            f"CREATE TRIGGER audit_{verb.lower()} BEFORE {verb} ON core_auditentry"
            " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ),
        # INSERT OR REPLACE deletes the row in its way without asking the trigger above.
        "CREATE TRIGGER IF NOT EXISTS audit_insert BEFORE INSERT ON core_auditentry"
        " WHEN EXISTS (SELECT 1 FROM core_auditentry WHERE id = NEW.id)"
        " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    ),
}
"""Made by the migrations."""


def one_line(text: str, most: int) -> str:
    r"""`text` on one line: whatever could begin another one, or turn its direction, is written as `\x0a` or `‮`."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)[:most]


def record(
    deed: str,
    *,
    by: AbstractBaseUser | AnonymousUser | None,
    about: object = "",
    detail: str = "",
    name: str = "",
) -> AuditEntry:
    """Add one entry, in the transaction of what it tells. Call it last there: it holds back all other entries.

    `about` may be lazy: the log has one language, English, whoever acts and whoever reads it (core.audit_words).
    `name` says who it was where there is no user, such as the address that a login was tried with.
    Raises KeyError for a deed that `DEEDS` does not know.
    """
    DEEDS[deed]
    with translation.override("en"):
        about = str(about)
    entry = AuditEntry(
        at=timezone.now(),
        deed=deed,
        actor=by.pk if by is not None else None,
        actor_name=one_line(name or (f"{by}" if by is not None and by.pk else ""), 200),
        address=client.get()[:45],
        about=one_line(about, 300),
        detail=one_line(detail, 1000),
    )
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        before = AuditEntry.objects.order_by("-id").values_list("seal", flat=True).first() or ""
        entry.seal = _seal(settings.TOKEN_KEYS[0], before, entry)
        entry.save(force_insert=True)
    logger.info(
        "%s by %s from %s: %s %s", deed, entry.actor_name or "-", entry.address or "-", entry.about, entry.detail
    )
    return entry


def denied(by: AbstractBaseUser | AnonymousUser | None, about: str, detail: str = "") -> None:
    """Note that somebody asked for what does not exist for him (S-26). Strangers' share is bounded in each process."""
    if by is not None and by.pk:
        noted = hit(f"audit-denied:{by.pk}", limit=DENIALS_AN_HOUR, seconds=3600)
    else:
        by, now = None, time.monotonic()
        noted = len(_strangers) < DENIALS_AN_HOUR or now - _strangers[0] > 3600
        if noted:
            _strangers.append(now)
    if noted:
        record("denied", by=by, about=about, detail=detail)


def broken() -> Iterator[int]:
    """Primary keys of entries that do not carry on the chain before them, oldest first; none in a whole log."""
    before = ""
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=1000):
        seals = (_seal(key, before, entry) for key in settings.TOKEN_KEYS)
        if not any(hmac.compare_digest(seal, entry.seal) for seal in seals):
            yield entry.pk
        before = entry.seal


def _seal(secret: str, before: str, entry: AuditEntry) -> str:
    row: list[Any] = [before, entry.at.isoformat(), entry.deed, entry.actor, entry.actor_name, entry.address]
    content = json.dumps([*row, entry.about, entry.detail], ensure_ascii=True)
    return hmac.new(derived_key(secret, "audit"), content.encode(), hashlib.sha256).hexdigest()
