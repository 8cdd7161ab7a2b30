"""What a visitor wrote into the widget, kept as JSON so that it travels like any other message.

`pack` makes it. Who the visitor is and which contact he has is not in here: our door puts that into the facts of the
raw message, where no visitor can write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.said import said
from inbox.channels.base import Address, Inbound, Outbound, Outcome, Receipt
from inbox.channels.chat import embedding
from inbox.channels.chat.forms import ChatSettings
from inbox.channels.email.understanding.language import detect, of_tag
from inbox.channels.packed_files import File, packed, unpacked
from routing.registry import Fact

if TYPE_CHECKING:
    from inbox.models import Channel, Delivery

_ADDRESS = re.compile(r"visitor-[1-9]\d{0,17}", re.ASCII)
SUBJECT = 80
"""Characters of the first line that become the subject of the ticket."""
_EVENTS = frozenset({"message.received", "ticket.opened"})


def pack(
    *,
    client_id: str,
    visitor: str,
    name: str = "",
    text: str = "",
    language: str = "",
    readings: Mapping[str, Any] | None = None,
    files: Sequence[File] = (),
) -> bytes:
    """One utterance as bytes for the journal. `readings` are values of `ChatAdapter.facts`."""
    said = {
        "id": client_id,
        "visitor": visitor,
        "name": name,
        "text": text,
        "language": language,
        "readings": dict(readings or {}),
        "files": packed(files),
    }
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")


class ChatAdapter:
    """See `inbox.channels.base.Adapter`."""

    kind = "chat"
    label = _("Web chat")
    icon = "chat"
    can = frozenset({"receive", "send", "attachments", "live", "fetched"})
    point = "visitor"
    form = ChatSettings
    facts: tuple[Fact, ...] = (
        Fact("page_url", _("page address"), "text", events=_EVENTS),
        Fact("page_title", _("page title"), "text", events=_EVENTS),
        Fact("referrer", _("page the visitor came from"), "text", events=_EVENTS),
        Fact("visitor_identified", _("visitor is identified"), "flag", events=_EVENTS),
        Fact("visitor_returning", _("visitor was here before"), "flag", events=_EVENTS),
        Fact("visitor_attributes", _("attributes of the visitor"), "set", events=_EVENTS),
        Fact("browser_language", _("language of the browser"), "text", events=_EVENTS),
        Fact("wait_seconds", _("waiting for"), "number", events=_EVENTS, unit=_("seconds")),
    )
    panel = ""
    card = "inbox/staff/chat_card.html"
    deeds: Mapping[str, Callable[..., str]] = {"new-key": embedding.new_key, "new-secret": embedding.new_secret}
    from_file: Mapping[str, Callable[[Channel, str], None]] = {"key": embedding.set_key}

    def card_of(self, channel: Channel) -> dict[str, Any]:
        """How the chat is put on a page."""
        return embedding.card(channel)

    def read(self, raw: bytes, settings: Mapping[str, Any]) -> Inbound:
        """Understand one utterance; what is not as `pack` makes it is told in `errors`."""
        try:
            said = json.loads(raw)
            words = {key: str(said.get(key) or "") for key in ("id", "visitor", "name", "text", "language")}
            sent = [f for f in said.get("files") or [] if isinstance(f, dict)]
            given = dict(said.get("readings") or {})
        except (ValueError, AttributeError, TypeError, RecursionError):
            return Inbound(sender=None, errors=(gettext("This is nothing that our chat sent."),))
        files, errors = unpacked(sent)
        text = words["text"]
        known = {fact.name for fact in self.facts}
        return Inbound(
            sender=Address(words["visitor"], words["name"]) if _ADDRESS.fullmatch(words["visitor"]) else None,
            subject=_beginning(text) or (files[0].name if files else ""),
            text=text,
            reply_text=text,
            language=_language(text, words["language"]),
            files=files,
            errors=errors,
            facts={"client_id": words["id"], **{name: value for name, value in given.items() if name in known}},
        )

    def address(self, text: str, settings: Mapping[str, Any]) -> str:
        """The address of one visitor. Raises ValidationError."""
        if not _ADDRESS.fullmatch(text):
            raise ValidationError(gettext("“%(text)s” is not a visitor of the chat.") % {"text": text[:80]})
        return text

    def compose(self, delivery: Delivery, channel: Channel | None) -> Outbound:
        """Nothing is handed over: the visitor's browser fetches what is new."""
        return Outbound(delivery.pk, delivery.recipient, "", b"")

    async def send(self, channel: Channel | None, out: Outbound) -> Receipt:
        """Sent is what the visitor's browser has fetched; until then the answer waits for his return."""
        from inbox.services import fetching

        if await database_sync_to_async(fetching.was_fetched)(out.delivery_id):
            return Receipt(Outcome.SENT, response=said("The visitor’s browser has fetched it."))
        return Receipt(Outcome.LATER, response=said("The visitor has not come back yet."))


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SUBJECT else line[: SUBJECT - 1].rsplit(" ", 1)[0] + "…"


def _language(text: str, browser: str) -> str:
    """Of the words where they tell it; a greeting is too short for that, and then the browser's counts."""
    said = of_tag(browser)
    if len(text) > 40 or not text.isascii():
        return detect(text) or said
    return said or detect(text)
