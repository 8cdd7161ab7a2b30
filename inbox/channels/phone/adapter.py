"""One finished call, visit or letter, kept as JSON so that it travels like any other message.

`{"id", "kind", "direction", "state", "number", "name", "from", "to", "line", "queue", "cause", "wait", "talk", "at",
"subject", "text", "answered", "files": [{"name", "type", "content": base64}]}`. Who logged it and which ticket it
belongs to is not in here: our door puts that into the facts of the raw message. `id` is for nobody to read: it makes
the bytes of two calls differ that are alike in everything else, so that they are not taken for one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.said import said
from crm.customers import numbers
from crm.customers.models import ContactPoint
from inbox.channels.base import Address, Inbound, NotComposable, Outbound, Outcome, Receipt
from inbox.channels.email.understanding.language import detect
from inbox.channels.packed_files import unpacked
from inbox.channels.phone.settings import PhoneSettings
from inbox.models import Call, Channel, Delivery
from routing.registry import Fact

_TOKEN = re.compile(r"[\w-]{20,200}", re.ASCII)
_EVENTS = frozenset({"message.received", "ticket.opened"})
REQUEST = "request"
"""Of a visitor who wants to be called: his own words, so his message and no call."""
_TEXTS = (*("kind", "direction", "state", "number", "name", "from", "to", "line", "queue", "cause", "subject", "text"),)


def set_token(channel: Channel, token: str) -> None:
    """The address that the telephone system reports to ends in this. Raises ValueError when it could be guessed."""
    from inbox.services import call_tokens

    if not _TOKEN.fullmatch(token):
        raise ValueError("letters, digits, - and _, 20 to 200 of them")
    if call_tokens.digest(token) != channel.settings.get("token_hash"):
        call_tokens.renew(channel, token)


class PhoneAdapter:
    """See `inbox.channels.base.Adapter`. It only receives: a call is answered by calling."""

    kind = "phone"
    label = _("Phone")
    icon = "phone"
    point = ContactPoint.Kind.PHONE
    can = frozenset({"receive", "subject", "attachments"})
    form = PhoneSettings
    panel = "inbox/calls/panel.html"
    joins = timedelta(hours=24)
    """Whoever tries five times within a day has one request and not five; whoever writes or comes has another."""
    from_file: Mapping[str, Callable[[Channel, str], None]] = {"token": set_token}
    facts = (
        Fact("called_number", _("number called"), "text", events=_EVENTS),
        Fact("direction", _("direction of the call"), "choice", lambda: Call.Direction.choices, events=_EVENTS),
        Fact("missed", _("missed call"), "flag", events=_EVENTS),
        Fact("wait_seconds", _("waited"), "number", events=_EVENTS, unit=_("seconds")),
        Fact("talk_seconds", _("talked"), "number", events=_EVENTS, unit=_("seconds")),
        Fact("call_queue", _("queue of the telephone system"), "text", events=_EVENTS),
        Fact("cause", _("how the call ended"), "text", events=_EVENTS),
        Fact("talk_kind", _("call, visit or letter"), "choice", lambda: Call.Kind.choices, events=_EVENTS),
    )

    def read(self, raw: bytes, settings: Mapping[str, Any]) -> Inbound:
        """Understand one finished call; what is not as `inbox.services.calls` packs it is told in `errors`."""
        try:
            call = json.loads(raw)
            text = {name: str(call.get(name) or "") for name in _TEXTS}
            seconds = {name: _seconds(call.get(name)) for name in ("wait", "talk")}
            sent = [file for file in call.get("files") or [] if isinstance(file, dict)]
        except (ValueError, AttributeError, TypeError, RecursionError):
            return Inbound(sender=None, kind="call", errors=("This is not a call that our telephone log wrote.",))
        files, errors = unpacked(sent)
        number = text["number"] or text["from" if text["direction"] == Call.Direction.IN else "to"]
        request = text["kind"] == REQUEST
        return Inbound(
            kind="inbound" if request else "call",
            answered=call.get("answered") is True,
            alone=text["kind"] in (Call.Kind.VISIT, Call.Kind.LETTER),
            sender=Address(number, text["name"]) if number or text["name"] else None,
            subject=" ".join(text["subject"].split()),
            text=text["text"],
            reply_text=text["text"],
            language=detect(text["text"]),
            files=files,
            errors=errors,
            facts={
                "called_number": text["line"] if text["direction"] == Call.Direction.IN else number,
                "direction": text["direction"],
                "missed": text["state"] == Call.State.MISSED,
                "wait_seconds": seconds["wait"],
                "talk_seconds": seconds["talk"],
                "call_queue": text["queue"],
                "cause": text["cause"],
                "talk_kind": "" if request else text["kind"] or Call.Kind.CALL.value,
            },
        )

    def address(self, text: str, settings: Mapping[str, Any]) -> str:
        """A number in E.164. Raises ValidationError."""
        number = numbers.one(text, str(settings.get("region", "")))
        if not number:
            raise ValidationError(gettext("“%(text)s” is not a telephone number.") % {"text": text[:60]})
        return number

    def compose(self, delivery: Delivery, channel: Channel | None) -> Outbound:
        """A call is made by a person. Raises NotComposable."""
        raise NotComposable(said("A telephone log cannot send."))

    async def send(self, channel: Channel | None, out: Outbound) -> Receipt:
        """A call cannot be sent."""
        return Receipt(Outcome.RECIPIENT_FAULT, response=said("A telephone log cannot send."))


def _seconds(value: Any) -> int:
    return max(0, min(int(value or 0), 10**9))
