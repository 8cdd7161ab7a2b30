"""Who of the colleagues is here."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Presence(models.Model):
    """The last sign of life of a colleague, and whether he takes chats."""

    class State(models.TextChoices):
        """What the colleague chose."""

        ONLINE = "online", _("Takes chats")
        AWAY = "away", _("Away")

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="presence")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ONLINE)
    since = models.DateTimeField(default=timezone.now)
    """When he came, or last chose a state."""
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presences")

    def __str__(self) -> str:
        return f"{self.user_id} {self.state}"
