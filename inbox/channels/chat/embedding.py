"""How staff put the chat on a page, and what they do when its key or its secret got about."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _

from core.secrets import SecretUnreadable
from inbox.channels.chat import forms, origins

if TYPE_CHECKING:
    from crm.organisation.models import User
    from inbox.models import Channel


_KEY = re.compile(r"[\w-]{8,64}", re.ASCII)
"""As the widget asks (main.js)."""


def snippet(channel: Channel) -> str:
    """The one line of HTML that goes to the end of a page."""
    return (
        f'<script async src="{settings.BASE_URL}/widget.js" data-channel="{channel.settings.get("key", "")}"></script>'
    )


def card(channel: Channel) -> dict[str, Any]:
    """What the channel's page shows of it."""
    listed = origins.listed(channel.settings)
    try:
        secret = bool(channel.secrets().get("identity_secret"))
    except SecretUnreadable:
        secret = False
    return {"snippet": snippet(channel), "origins": listed, "everywhere": origins.ANY in listed, "secret": secret}


def new_key(channel: Channel, by: User) -> str:
    """Give the chat another public key: pages with the old one show no chat any more."""
    from inbox.services import channel_setup

    channel_setup.save_channel(channel, {"key": forms.new_key()}, {}, by=by)
    return _("The chat has a new key. Put the new line on your pages: the old one no longer shows the chat.")


def set_key(channel: Channel, key: str) -> None:
    """Give the chat this public key. Raises ValueError when the widget would not take it, or another chat has it."""
    from inbox.models import Channel
    from inbox.services import channel_setup

    if not _KEY.fullmatch(key):
        raise ValueError("letters, digits, - and _, 8 to 64 of them")
    if Channel.objects.filter(kind=channel.kind, settings__key=key).exclude(pk=channel.pk).exists():
        raise ValueError("another chat has this key")
    channel_setup.save_channel(channel, {"key": key}, {}, by=None)


def new_secret(channel: Channel, by: User) -> str:
    """Give the chat another identity secret, shown this once."""
    from inbox.services import channel_setup

    secret = secrets.token_urlsafe(32)
    channel_setup.save_channel(channel, {}, {"identity_secret": secret}, by=by)
    return _("The new identity secret is %(secret)s – copy it now, it is not shown again.") % {"secret": secret}
