"""A call instead of a chat: the visitor names a number and a time, and it becomes an appointment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import limits
from crm.planning.models import Appointment
from inbox.channels.chat import events
from inbox.channels.chat.doors import ChatRequest, door, invalid, text_of
from inbox.channels.chat.views import client_id
from inbox.services import callbacks
from inbox.services.utterances import Refused

OF_VISITOR, OF_NETWORK, OF_SITE = 3, 10, 200
"""Wishes an hour: somebody's telephone rings for each (S-50)."""


@door("GET", "POST")
def callback(request: ChatRequest) -> HttpResponse:
    """GET: times that can be had. POST: agree on one; the same id again is the same call."""
    channel = callbacks.channel()
    if channel is None:
        raise Refused("closed", _("Calls cannot be asked for here."))
    if request.method == "GET":
        return JsonResponse({"times": [at.isoformat() for at in callbacks.proposals(channel, timezone.now())]})
    said, visitor = request.said, request.visitor
    name, phone = text_of(said, "name", 200, needed=True), text_of(said, "phone", 40, needed=True)
    at, topic, key = _moment(said.get("at")), text_of(said, "topic", 2000), f"chat-{visitor.pk}-{client_id(said)}"
    counted = {
        f"chat-call:{visitor.pk}": (1, OF_VISITOR, 3600),
        f"chat-call:site:{request.channel.pk}": (1, OF_SITE, 3600),
    }
    if request.network:
        counted[f"chat-call:net:{request.network}"] = (1, OF_NETWORK, 3600)
    if limits.hit_many(counted):
        raise Refused("too-many", _("Several calls were asked for already. Please write to us instead."), 3600)
    try:
        agreed = callbacks.request_callback(
            channel,
            # Only who is proved to be the contact is called as the contact; for others the number decides.
            contact=visitor.contact if visitor.identifier else None,
            name=name,
            phone=phone,
            at=at,
            topic=topic,
            key=key,
            source=Appointment.Source.WIDGET,
        )
    except callbacks.CallbackRefused as why:
        raise Refused("invalid", str(why)) from None
    talk = events.current(visitor.pk)
    if talk is not None and talk.is_open:
        callbacks.tell_talk(talk.ticket, agreed, name=name, language=request.channel.language)
    return JsonResponse({"at": agreed.starts_at.isoformat()})


def _moment(given: Any) -> datetime | None:
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise invalid() from None
    if at.tzinfo is None:
        raise invalid()
    return at
