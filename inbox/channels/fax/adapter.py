"""Fax as a channel: pages come from HylaFAX, a folder or a gateway, and leave by hfaxd or a gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings as site
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _

from core.said import said
from inbox.channels import sink
from inbox.channels.base import Inbound, Outbound, Outcome, Receipt
from inbox.channels.email.pool import POOL
from inbox.channels.email.probe import Probe
from inbox.channels.fax import composing, numbers, probe, reading, sending
from inbox.channels.fax.forms import FaxSettingsForm
from routing.registry import Fact

if TYPE_CHECKING:
    from inbox.models import Channel, Delivery

_EVENTS = frozenset({"message.received", "ticket.opened"})


class FaxAdapter:
    """See `inbox.channels.base.Adapter`."""

    kind = "fax"
    label = _("Fax")
    icon = "fax"
    can = frozenset({"receive", "send", "attachments", "fetch"})
    point = "fax"
    form = FaxSettingsForm
    facts: tuple[Fact, ...] = (
        Fact("pages", _("pages of the fax"), "number", events=_EVENTS),
        Fact("called_number", _("called number"), "text", events=_EVENTS),
        Fact("station", _("name of the sending fax machine"), "text", events=_EVENTS),
        Fact("damaged", _("damaged on the way"), "flag", events=_EVENTS),
    )
    panel = "inbox/fax/panel.html"
    preview = "inbox:fax_preview"
    has_pages = True
    reads_mail = True
    """That of a gateway, to a mail address among the channel's."""

    def read(self, raw: bytes, settings: Mapping[str, Any]) -> Inbound:
        """A fax in our envelope, or the mail of a gateway; never raises."""
        return reading.read(raw, settings)

    def address(self, text: str, settings: Mapping[str, Any]) -> str:
        """One fax number in E.164. Raises ValidationError."""
        number = numbers.spelled(text, str(settings.get("region", ""))) if numbers.WRITTEN.fullmatch(text) else ""
        if not number:
            raise ValidationError(now("“%(text)s” is not one fax number.") % {"text": text[:80]})
        return number

    def refuse_files(self, attached: Sequence[tuple[str, str, bytes]]) -> None:
        """Raises ValidationError for a file that cannot become pages."""
        composing.refuse_files(attached)

    def compose(self, delivery: Delivery, channel: Channel | None) -> Outbound:
        """The pages. Raises NotComposable."""
        return composing.compose(delivery, channel)

    async def send(self, channel: Channel | None, out: Outbound) -> Receipt:
        """Submit a job to the fax server or look how it stands, or hand the gateway's mail over."""
        if site.MAIL_SINK is not None:
            return await sink.keep(out)
        if out.through is not None:
            return await POOL.send(out.through, out)
        if channel is None or channel.settings.get("out_by") != "hfaxd":
            return Receipt(Outcome.ACCOUNT_FAULT, response=said("This fax channel is not set up for sending."))
        return await sending.send(channel, out)

    def probe(self, channel: Channel) -> Probe:
        """Really log in to fax server and mailbox, look into the folder. Raises core.secrets.SecretUnreadable."""
        return probe.probe(channel)
