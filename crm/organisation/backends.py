"""Who a session belongs to."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend

from core.composed import Composed
from crm.organisation.models import User

_people = Composed(lambda key: User.objects.filter(pk=key))


class PasswordBackend(ModelBackend):
    """Django's own, by e-mail and password. Every page asks who is there: the query is composed once."""

    def get_user(self, user_id: Any) -> User | None:
        """The person with this key, as long as he may log in."""
        for user in _people(int(user_id)):
            return user if self.user_can_authenticate(user) else None
        return None
