"""Faxes at the door: which number of ours was called, whose queue that is, and into the journal."""

from __future__ import annotations

from core import fault
from inbox.channels.fax import envelope, forms, numbers
from inbox.channels.fax.envelope import Envelope
from inbox.models import Channel, RawMessage
from inbox.services.accept import accept
from routing.models import Queue


class NoFaxChannel(LookupError):
    """No fax channel of ours has this number."""


def channel_for(called: str) -> Channel:
    """The active fax channel with the number that was called; the only one there is when none is named.

    Raises NoFaxChannel.
    """
    channels = list(Channel.objects.filter(kind="fax", active=True).order_by("pk"))
    for channel in channels:
        region = channel.settings.get("region", "")
        wanted = numbers.spelled(called, region)
        own = {numbers.spelled(address, region) for address in channel.addresses if "@" not in address}
        if wanted and wanted in own | set(forms.queues(channel.settings)):
            return channel
    if len(channels) == 1:
        return channels[0]
    raise NoFaxChannel(called)


def receive(content: bytes, told: Envelope, channel: Channel | None = None) -> RawMessage:
    """Keep one fax; the same one again gives the row that is there. Raises NoFaxChannel, OSError."""
    channel = channel or channel_for(told.called)
    facts: dict[str, object] = {"fax": {"from": told.sender, "to": told.called, "commid": told.commid}}
    called = numbers.spelled(told.called, channel.settings.get("region", ""))
    if name := forms.queues(channel.settings).get(called):
        queue = Queue.objects.filter(name=name).values_list("pk", flat=True).first()
        if queue is not None:
            facts["queue"] = queue
    fault.point("fax.before_accept")
    raw = accept(channel, envelope.pack(told, content), external_id=envelope.external_id(told, content), facts=facts)
    fault.point("fax.accepted")
    return raw
