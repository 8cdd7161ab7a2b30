"""Whether the address that a visitor of the chat gave is his: a click in a mail of our own words says so (S-50)."""

from __future__ import annotations

import hashlib

from django.utils import timezone, translation

from core.tokens import sign, verify
from inbox.models import Conversation, Visitor
from inbox.services import guests

TRANSCRIPT, ANSWERS = "t", "a"
"""What is mailed after the click: the whole talk, or only answers that wait for him."""
_PURPOSE = "chat transcript"


def ask(talk: Conversation, then: str) -> None:
    """Mail the owner of the address a link by which he says that it is his. Raises guests.TooMany."""
    visitor = talk.visitor
    guests.check_address(visitor.email)
    hours = int(timezone.now().timestamp()) // 3600
    with translation.override(visitor.locale):
        guests.ask(visitor.email, sign(_PURPOSE, f"{then}-{talk.pk}-{_mark(visitor.email)}-{hours}"), chat=True)
    Visitor.objects.filter(pk=visitor.pk, email=visitor.email).update(email_state=Visitor.EmailState.ASKED)


def _mark(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def waiting(token: str) -> tuple[Conversation, str] | None:
    """The talk that this link is for and what follows, while it can be confirmed and the address is still the same."""
    then, *rest = (verify(_PURPOSE, token) or "").split("-")
    if len(rest) != 3 or not (rest[0].isdigit() and rest[2].isdigit()):
        return None
    age = timezone.now().timestamp() - int(rest[2]) * 3600
    if age > guests.CONFIRM_WITHIN.total_seconds() + 3600:
        return None
    talk = Conversation.objects.select_related("visitor", "ticket").filter(pk=int(rest[0])).first()
    if talk is None or _mark(talk.visitor.email) != rest[1] or talk.visitor.email_state != Visitor.EmailState.ASKED:
        return None
    return talk, then


def confirm(token: str) -> tuple[Conversation, str] | None:
    """Note that the address is his, once; None when the link is wrong, too old or used."""
    found = waiting(token)
    if found is None:
        return None
    visitor = found[0].visitor
    asked = Visitor.objects.filter(pk=visitor.pk, email=visitor.email, email_state=Visitor.EmailState.ASKED)
    return found if asked.update(email_state=Visitor.EmailState.CONFIRMED) else None
