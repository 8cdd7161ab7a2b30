"""E-mail as a channel: reading bytes, and handing a message to the channel's mail server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from inbox.channels.base import Inbound, Outbound, Receipt
from inbox.channels.email.forms import EmailSettingsForm
from inbox.channels.email.grants import keep_refresh_token
from inbox.channels.email.pool import POOL
from inbox.channels.email.probe import Probe, probe
from inbox.channels.email.reading.message import read

if TYPE_CHECKING:
    from inbox.models import Channel


class EmailAdapter:
    """See `inbox.channels.base.Adapter`."""

    kind = "email"
    label = _("E-mail")
    can = frozenset({"receive", "send", "html", "subject", "attachments", "fetch"})
    form = EmailSettingsForm

    def read(self, raw: bytes, settings: Mapping[str, Any]) -> Inbound:
        """Understand one mail; never raises. `settings["authserv_id"]` names whose verdict on the sender counts."""
        return read(raw, trusted=settings.get("authserv_id", ""))

    async def send(self, channel: Channel, out: Outbound) -> Receipt:
        """Hand one mail to the channel's SMTP server over a pooled connection."""
        return await POOL.send(channel, out)

    def probe(self, channel: Channel) -> Probe:
        """Really connect to both servers, and say in words what was found. Raises core.secrets.SecretUnreadable."""
        return probe(
            channel.address,
            channel.settings,
            channel.secrets(),
            rotated=lambda token: keep_refresh_token(channel.pk, token),
        )
