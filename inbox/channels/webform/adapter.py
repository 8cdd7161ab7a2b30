"""What somebody wrote into a form of ours, kept as JSON so that it travels like any other message.

`{"name", "email", "subject", "text", "language", "topic", "files": [{"name", "type", "content": base64}]}`. Who is
logged in and which ticket it answers is not in here: our door puts that into the facts of the raw message, where no
visitor can write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.said import said
from inbox.channels.base import Address, Inbound, NotComposable, Outbound, Outcome, Receipt
from inbox.channels.email.addressing import one_address
from inbox.channels.email.understanding.language import detect
from inbox.channels.packed_files import File, packed, unpacked
from inbox.channels.settings_form import ChannelSettingsForm

if TYPE_CHECKING:
    from inbox.models import Channel, Delivery
    from routing.registry import Fact


def pack(
    *,
    name: str,
    email: str,
    subject: str,
    text: str,
    topic: str = "",
    language: str = "",
    files: Sequence[File] = (),
) -> bytes:
    """The form as bytes for the journal. `language` is the page's, for texts too short to tell theirs."""
    form = {
        "name": name,
        "email": email,
        "subject": subject,
        "text": text,
        "language": language,
        "topic": topic,
        "files": packed(files),
    }
    return json.dumps(form, ensure_ascii=False).encode("utf-8", "replace")


class WebFormSettings(ChannelSettingsForm):
    """What can be set for one form."""

    without = frozenset({"address", "aliases", "display_name"})

    guests = forms.BooleanField(label=_("People without an account may write"), required=False, initial=True)
    topics = forms.CharField(
        label=_("Topics to choose from"),
        help_text=_("One a line; empty: no choice is offered."),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
    )


class WebFormAdapter:
    """See `inbox.channels.base.Adapter`. It only receives: answers go by e-mail and are seen on the portal."""

    kind = "webform"
    label = _("Web form")
    icon = "form"
    can = frozenset({"receive", "attachments", "subject"})
    point = "email"
    form = WebFormSettings
    facts: tuple[Fact, ...] = ()
    panel = ""

    def read(self, raw: bytes, settings: Mapping[str, Any]) -> Inbound:
        """Understand one form; what is not as `pack` makes it is told in `errors`."""
        try:
            form = json.loads(raw)
            text = {key: str(form.get(key) or "") for key in ("name", "email", "subject", "text", "topic", "language")}
            sent = [f for f in form.get("files") or [] if isinstance(f, dict)]
        except (ValueError, AttributeError, TypeError, RecursionError):
            return Inbound(sender=None, errors=(gettext("This is not a form that our portal sent."),))
        text["text"] = text["text"].replace("\r\n", "\n").replace("\r", "\n")  # browsers end lines with CR LF
        files, errors = unpacked(sent)
        return Inbound(
            sender=Address(text["email"], text["name"]) if text["email"] else None,
            subject=" ".join(text["subject"].split()),
            text=text["text"],
            reply_text=text["text"],
            language=detect(text["text"]) or text["language"][:10],
            files=files,
            errors=errors,
            facts={"topic": text["topic"]} if text["topic"] else {},
        )

    def address(self, text: str, settings: Mapping[str, Any]) -> str:
        """One mail address. Raises ValidationError."""
        return one_address(text)

    def compose(self, delivery: Delivery, channel: Channel | None) -> Outbound:
        """Nothing goes out by a form."""
        raise NotComposable(said("A web form cannot send."))

    async def send(self, channel: Channel | None, out: Outbound) -> Receipt:
        """A form cannot be answered by itself."""
        return Receipt(Outcome.RECIPIENT_FAULT, response=said("A web form cannot send."))
