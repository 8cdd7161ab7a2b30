"""Sessions in the database, kept with one statement.

Django's own engine opens a transaction for each change of a session; a colleague's session is stamped while he works,
in the middle of pages that are to be fast.
"""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from core.composed import Composed

_kept = Composed(lambda key: Session.objects.filter(session_key=key))


class SessionStore(DatabaseStore):
    """Django's database sessions; a change is one UPDATE, and a session that was ended meanwhile stays ended."""

    def _get_session_from_db(self) -> Session | None:
        for row in _kept(self.session_key or ""):
            if row.expire_date > timezone.now():
                return row
        self._session_key = None
        return None

    def save(self, must_create: bool = False) -> None:
        """Keep what was changed. Raises UpdateError when the session was deleted since it was read."""
        if self.session_key is None or must_create:
            super().save(must_create)
            return
        row = self.create_model_instance(self._session)  # type: ignore[attr-defined]
        changed = {"session_data": row.session_data, "expire_date": row.expire_date}
        if not self.model.objects.filter(pk=row.pk).update(**changed):
            raise UpdateError


def end_sessions(user_id: int, *, but: str = "") -> int:
    """Log a person out everywhere, but for the session with the key `but`; how many sessions ended.

    Sessions do not say whose they are without being read: this is for rare deeds.
    """
    theirs = [
        row.session_key
        for row in SessionStore.get_model_class().objects.filter(expire_date__gt=timezone.now()).iterator()
        if row.session_key != but and str(row.get_decoded().get(SESSION_KEY)) == str(user_id)
    ]
    return SessionStore.get_model_class().objects.filter(pk__in=theirs).delete()[0]
