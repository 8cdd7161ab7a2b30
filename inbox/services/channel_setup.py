"""Channels made, changed, stopped and started by staff. Secrets go in and never come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from inbox.models import Channel
from inbox.services import outcomes

if TYPE_CHECKING:
    from crm.organisation.models import User


def check_free(address: str, channel: Channel) -> None:
    """Raise ValidationError when mail or calls to this address are another channel's, be it by its further ones."""
    if any(address in other.addresses for other in Channel.objects.exclude(pk=channel.pk)):
        raise ValidationError(_("Another channel has this address."))


@transaction.atomic
def save_channel(channel: Channel, settings: dict[str, Any], secrets: dict[str, str], *, by: User | None) -> Channel:
    """Save the channel with these settings; `secrets` names only those that change, all others stay as they are."""
    channel.settings = {**(channel.settings or {}), **settings}
    channel.save()
    if secrets:
        channel.set_secrets(secrets)
        channel.save(update_fields=["sealed"])
    outcomes.resume(channel)  # what waited because of the old settings
    if secrets:
        audit.record("changed", by=by, about=f"channel {channel}", detail=f"secrets: {', '.join(sorted(secrets))}")
    return channel


@transaction.atomic
def pause(channel: Channel, *, by: User | None) -> None:
    """Neither fetch nor send any more, until it is resumed. What waits goes on waiting."""
    Channel.objects.filter(pk=channel.pk).update(active=False)
    audit.record("changed", by=by, about=f"channel {channel}", detail="paused")


@transaction.atomic
def resume(channel: Channel, *, by: User | None) -> None:
    """Fetch and send again, at once, also when a fault of the account had stopped the sending."""
    Channel.objects.filter(pk=channel.pk).update(active=True)
    outcomes.resume(channel)
    audit.record("changed", by=by, about=f"channel {channel}", detail="resumed")
