"""One holder at a time for a named duty (a mailbox listener, the scheduler)."""

from __future__ import annotations

from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone


class Lease(models.Model):
    """Who does a duty until when. `fence` grows with every new holder, so that an old one can be told from the new."""

    name = models.CharField(max_length=100, primary_key=True)
    holder = models.CharField(max_length=64, blank=True)
    fence = models.BigIntegerField(default=0)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, holder: str, seconds: int) -> int | None:
        """Take or renew the duty; its fence number, or None while somebody else has it."""
        now = timezone.now()
        with transaction.atomic():
            cls.objects.get_or_create(name=name, defaults={"until": now})
            lease = cls.objects.select_for_update().get(name=name)
            if lease.holder != holder:
                if lease.until > now:
                    return None
                lease.holder, lease.fence = holder, lease.fence + 1
            elif lease.until <= now:
                lease.fence += 1
            lease.until = now + timedelta(seconds=seconds)
            lease.save()
            return lease.fence

    @classmethod
    def still_held(cls, name: str, holder: str, fence: int) -> bool:
        """True while the duty is still held under this number; locks the row inside a transaction."""
        return (
            cls.objects.select_for_update()
            .filter(name=name, holder=holder, fence=fence, until__gt=timezone.now())
            .exists()
        )

    @classmethod
    def give_back(cls, name: str, holder: str) -> None:
        """Let somebody else take the duty at once."""
        cls.objects.filter(name=name, holder=holder).update(until=timezone.now(), holder="")
