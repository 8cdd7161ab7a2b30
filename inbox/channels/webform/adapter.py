"""What somebody wrote into a form of ours, kept as JSON so that it travels like any other message.

`{"name", "email", "subject", "text", "language", "topic", "files": [{"name", "type", "content": base64}]}`. Who is
logged in and which ticket it answers is not in here: our door puts that into the facts of the raw message, where no
visitor can write.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from inbox.channels.base import Address, Inbound, InboundFile, Outbound, Outcome, Receipt
from inbox.channels.email.understanding.language import detect
from inbox.channels.settings_form import ChannelSettingsForm
from inbox.models import Channel

File = tuple[str, str, bytes]
"""Name, claimed type, content."""


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
    kept = [{"name": n, "type": t, "content": base64.b64encode(c).decode()} for n, t, c in files]
    form = {
        "name": name,
        "email": email,
        "subject": subject,
        "text": text,
        "language": language,
        "topic": topic,
        "files": kept,
    }
    return json.dumps(form, ensure_ascii=False).encode("utf-8", "replace")


class WebFormSettings(ChannelSettingsForm):
    """What can be set for one form."""

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
    can = frozenset({"receive", "attachments", "subject"})
    form = WebFormSettings

    def read(self, raw: bytes, settings: Mapping[str, Any]) -> Inbound:
        """Understand one form; what is not as `pack` makes it is told in `errors`."""
        try:
            form = json.loads(raw)
            text = {key: str(form.get(key) or "") for key in ("name", "email", "subject", "text", "topic", "language")}
            sent = [f for f in form.get("files") or [] if isinstance(f, dict)]
        except (ValueError, AttributeError, TypeError, RecursionError):
            return Inbound(sender=None, errors=("This is not a form that our portal sent.",))
        errors, files = [], []
        for file in sent:
            try:
                content = base64.b64decode(str(file.get("content", "")), validate=True)
            except ValueError:
                errors.append("A file could not be read.")
                continue
            name, kind = str(file.get("name") or "file"), str(file.get("type") or "application/octet-stream")
            files.append(InboundFile(name=name, content_type=kind, content=content))
        return Inbound(
            sender=Address(text["email"], text["name"]) if text["email"] else None,
            subject=" ".join(text["subject"].split()),
            text=text["text"],
            reply_text=text["text"],
            language=detect(text["text"]) or text["language"][:10],
            files=tuple(files),
            errors=tuple(errors),
            facts={"topic": text["topic"]} if text["topic"] else {},
        )

    async def send(self, channel: Channel, out: Outbound) -> Receipt:
        """A form cannot be answered by itself."""
        return Receipt(Outcome.RECIPIENT_FAULT, response="a web form cannot send")
