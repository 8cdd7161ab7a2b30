"""One holder at a time for a named duty (a mailbox listener, the scheduler)."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class Lease(models.Model):
    """Who does a duty until when. `fence` grows whenever it is taken: an old holder can be told from the new."""

    name = models.CharField(max_length=100, primary_key=True)
    holder = models.CharField(max_length=64, blank=True)
    fence = models.BigIntegerField(default=0)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, holder: str, seconds: int) -> int | None:
        """Take the duty, or go on with it; its new fence number, or None while somebody else has it."""
        now = timezone.now()
        cls.objects.get_or_create(name=name, defaults={"until": now})
        # One statement: whoever is frozen here keeps no lock from his successor.
        free = cls.objects.filter(Q(holder=holder) | Q(until__lte=now), name=name)
        if not free.update(holder=holder, fence=F("fence") + 1, until=now + timedelta(seconds=seconds)):
            return None
        return cls.objects.filter(name=name, holder=holder).values_list("fence", flat=True).first()

    @classmethod
    def renew(cls, name: str, holder: str, fence: int, seconds: int) -> bool:
        """Keep the duty longer; False when somebody has taken it since. In a transaction nobody can until its end.

        One that ran out and that nobody took is still ours: a slow mail server would else never be read to the end.
        """
        until = timezone.now() + timedelta(seconds=seconds)
        return bool(cls.objects.filter(name=name, holder=holder, fence=fence).update(until=until))

    @classmethod
    def give_back(cls, name: str, holder: str) -> None:
        """Let somebody else take the duty at once."""
        cls.objects.filter(name=name, holder=holder).update(until=timezone.now(), holder="")
