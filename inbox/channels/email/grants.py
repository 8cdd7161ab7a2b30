"""Where refresh tokens are kept: issuers give a new one now and then, and the old one may end."""

from __future__ import annotations

from django.db import transaction

from inbox.models import Channel


def keep_refresh_token(channel_id: int, token: str) -> Channel:
    """Store the channel's new refresh token; the channel as it is then."""
    with transaction.atomic():
        channel = Channel.objects.select_for_update().get(pk=channel_id)
        channel.set_secrets({"oauth_refresh_token": token})
        channel.save(update_fields=["sealed"])
    return channel
