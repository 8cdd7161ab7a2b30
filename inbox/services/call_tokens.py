"""The token in the address that a telephone system reports to. Only its hash is kept, so it is shown once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from core import limits
from core.models import Hit
from inbox.models import Channel

LONGEST = 200
_DAY = 24 * 3600


def digest(token: str) -> str:
    """What is kept of a token. It is long and random, so that a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@transaction.atomic
def renew(channel: Channel, token: str = "") -> str:
    """Give the channel a new token, or this one; the old one opens nothing from now on. The token, for this once."""
    token = token or secrets.token_urlsafe(24)
    row = Channel.objects.select_for_update().get(pk=channel.pk)
    row.settings = {**row.settings, "token_hash": digest(token)}
    row.save(update_fields=["settings"])
    channel.settings = row.settings
    return token


def channel_of(token: str) -> Channel | None:
    """The active channel with this token. Every channel is compared, whichever fits, so that time tells nothing."""
    asked = digest(token[:LONGEST])
    found = None
    for channel in Channel.objects.filter(kind="phone", active=True).select_related("queue").order_by("id"):
        if constant_time_compare(str(channel.settings.get("token_hash") or "-"), asked):
            found = channel
    return found


def count_refusal(channel: Channel) -> None:
    """Count a report that was refused after its token was right."""
    limits.hit(f"cti-bad:{channel.pk}", limit=10**9, seconds=_DAY)


def refusals(channel: Channel) -> int:
    """How many reports of the last two days were refused."""
    since = timezone.now() - timedelta(days=2)
    rows = Hit.objects.filter(key=f"cti-bad:{channel.pk}", window__gte=since)
    return rows.aggregate(total=Sum("count"))["total"] or 0
