"""What a channel's last message showed of it. Mailboxes and folders are asked all the time: see `inbox.listening`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from inbox.models import Channel

FRESH = timedelta(seconds=60)
"""So long what was written last stays true enough: a crowd of messages writes once."""


def heard(channel: Channel) -> None:
    """A message came in by a door: receiving works. What a listener says of trouble stands until it says otherwise."""
    now = timezone.now()
    works = channel.receiving_health == Channel.Health.GOOD
    if channel.receiving_health not in (Channel.Health.UNKNOWN, Channel.Health.GOOD):
        return
    if works and _is_fresh(channel.receiving_at, now):
        return
    rows = Channel.objects.filter(pk=channel.pk, receiving_health=channel.receiving_health)
    channel.receiving_health, channel.receiving_at = Channel.Health.GOOD, now
    rows.update(receiving_health=Channel.Health.GOOD, receiving_note="", receiving_at=now)


def sent(channel: Channel | None) -> None:
    """A message went out: sending works, and nothing waits for the channel any more."""
    if channel is None:
        return
    now = timezone.now()
    works = channel.sending_health == Channel.Health.GOOD and channel.sending_paused_until is None
    if works and _is_fresh(channel.sending_at, now):
        return
    Channel.objects.filter(pk=channel.pk).update(
        sending_health=Channel.Health.GOOD, sending_note="", sending_at=now, sending_paused_until=None
    )


def _is_fresh(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at < FRESH
