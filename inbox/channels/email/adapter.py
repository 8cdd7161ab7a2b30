"""E-mail as a channel: reading bytes, and handing a message to the channel's mail server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings as site
from django.utils.translation import gettext_lazy as _

from core.said import said
from inbox.channels import sink
from inbox.channels.base import Inbound, Outbound, Outcome, Receipt
from inbox.channels.email.addressing import one_address
from inbox.channels.email.composing import compose
from inbox.channels.email.forms import EmailSettingsForm
from inbox.channels.email.grants import keep_refresh_token
from inbox.channels.email.pool import POOL
from inbox.channels.email.probe import Probe, probe
from inbox.channels.email.reading.message import read

if TYPE_CHECKING:
    from inbox.models import Channel, Delivery
    from routing.registry import Fact


class EmailAdapter:
    """See `inbox.channels.base.Adapter`."""

    kind = "email"
    label = _("E-mail")
    icon = "mail"
    can = frozenset({"receive", "send", "html", "subject", "attachments", "copies", "fetch"})
    point = "email"
    form = EmailSettingsForm
    facts: tuple[Fact, ...] = ()
    panel = ""
    reads_mail = True

    def read(self, raw: bytes, settings: Mapping[str, Any]) -> Inbound:
        """Understand one mail; never raises. `settings["authserv_id"]` names whose verdict on the sender counts."""
        return read(raw, trusted=settings.get("authserv_id", ""))

    def address(self, text: str, settings: Mapping[str, Any]) -> str:
        """One mail address. Raises ValidationError."""
        return one_address(text)

    def compose(self, delivery: Delivery, channel: Channel | None) -> Outbound:
        """The whole mail. Raises NotComposable."""
        return compose(delivery, channel)

    async def send(self, channel: Channel | None, out: Outbound) -> Receipt:
        """Hand one mail to the channel's SMTP server over a pooled connection."""
        if site.MAIL_SINK is not None:
            return await sink.keep(out)
        if channel is None:
            return Receipt(Outcome.LATER, 0, said("No channel can send account mail."), whole_account=True)
        return await POOL.send(channel, out)

    def probe(self, channel: Channel) -> Probe:
        """Really connect to both servers, and say in words what was found. Raises core.secrets.SecretUnreadable."""
        return probe(
            channel.address,
            channel.settings,
            channel.secrets(),
            rotated=lambda token: keep_refresh_token(channel.pk, token),
        )
