"""The chat over HTTP: beginning, talking, and catching up by asking. `docs/chat.md` is its description."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils import translation
from django.utils.translation import gettext as _

from core.limits import hit
from crm.customers.identity import AddressInvalid
from inbox.channels.chat import events, forms
from inbox.channels.chat.doors import ChatRequest, door, invalid, text_of
from inbox.channels.chat.texts import texts
from inbox.models import Channel, Visitor
from inbox.services import callbacks, chats, fetching, guests, presence, utterances, visitors
from inbox.services.utterances import TEXT_LIMIT, Refused, Utterance
from inbox.services.visitors import Claim, Page

FILE_BYTES = 10 * 1024 * 1024
FILES_AT_ONCE = 5
SESSIONS_A_MINUTE = 60
_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)


def client_id(said: Any) -> str:
    """The browser's own id of what it sends. Raises Refused."""
    value = said.get("id")
    if not isinstance(value, str) or not _CLIENT_ID.fullmatch(value):
        raise invalid()
    return value


def number(text: Any) -> int:
    """A sequence number out of an address or a frame. Raises Refused."""
    try:
        value = int(text)
    except (TypeError, ValueError, OverflowError):
        raise invalid() from None
    if isinstance(text, bool) or not 0 <= value < 2**52:
        raise invalid()
    return value


def not_that_text(text: str) -> dict[str, str]:
    """Why a text is refused, as code and words."""
    if not text.strip():
        return {"code": "invalid", "text": _("The message is empty.")}
    return {"code": "too-large", "text": _("That is too long.")}


def page_of(said: Any) -> Page:
    """The page the visitor is on; what is no text is left out."""
    given = said if isinstance(said, dict) else {}
    words = {name: given[name] for name in ("url", "title", "referrer") if isinstance(given.get(name), str)}
    return Page(**words)


def _claim(said: Any) -> Claim | None:
    if said is None:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("attributes", {}), dict):
        raise invalid()
    return Claim(
        identifier=text_of(said, "identifier", 200),
        signature=text_of(said, "identifier_hash", 100),
        name=text_of(said, "name", 200),
        email=text_of(said, "email", 320),
        attributes=said.get("attributes", {}),
    )


@door("POST", token=False)
def session(request: ChatRequest) -> HttpResponse:
    """Begin, or go on with the token of before."""
    if request.network and not hit(f"chat-session:{request.network}", limit=SESSIONS_A_MINUTE, seconds=60):
        raise Refused("too-many", _("Too many requests came from your network. Please try again later."), 60)
    said, channel = request.said, request.channel
    try:
        visitor, token = visitors.enter(
            channel,
            text_of(said, "token", 200),
            page_of(said.get("page")),
            locale=text_of(said, "locale", 35),
            zone=text_of(said, "zone", 64),
            claim=_claim(said.get("user")),
        )
    except visitors.IdentityRefused:
        raise Refused("invalid", _("The identity could not be verified.")) from None
    return JsonResponse(_welcome(channel, visitor, token))


def _welcome(channel: Channel, visitor: Visitor, token: str) -> dict[str, Any]:
    duty = presence.duty(channel.queue)
    settings = channel.settings
    with translation.override(visitor.locale):
        return {
            "token": token,
            "locale": visitor.locale,
            "texts": texts(),
            "look": forms.look(settings, visitor.locale),
            "duty": duty,
            "can": {
                "files": bool(settings.get("files", True)),
                "callback": callbacks.channel() is not None,
                "rating": bool(settings.get("rating", True)),
                "transcript": bool(settings.get("transcript", True)),
            },
            "limits": {"text": TEXT_LIMIT, "file": FILE_BYTES, "files": FILES_AT_ONCE},
            "person": {
                "name": visitor.name,
                "email": bool(visitors.address_of(visitor)[0]),
                "identified": bool(visitor.identifier),
            },
            "conversation": conversation(visitor, duty),
        }


def conversation(visitor: Visitor, duty: str) -> dict[str, Any] | None:
    """The last events of the visitor's talk, with its state; None for whoever has not spoken yet."""
    talk = events.current(visitor.pk)
    if talk is None:
        return None
    found, more = events.newest(talk)
    place = chats.places_in_line([talk]).get(talk.pk, 0)
    return {**events.given(talk, found), **events.state_of(talk, duty, place), "more": more}


@door("GET")
def news(request: ChatRequest) -> HttpResponse:
    """`?after=N`: all that is new. `?before=N`: a page of what was earlier."""
    visitor, duty = request.visitor, presence.duty(request.channel.queue)
    visitors.sign_of_life(visitor)
    talk = events.current(visitor.pk)
    if "before" in request.GET and talk is not None:
        found, more = events.before(talk, number(request.GET["before"]))
        return JsonResponse({**events.given(talk, found), **events.state_of(talk, duty), "more": more})
    after = number(request.GET.get("after", "0"))
    if talk is not None and after > talk.base:
        fetching.confirm({talk.pk: after - talk.base})
    return JsonResponse(events.read(talk, after, duty))


@door("POST", a_minute=0)  # it has limits of its own
def say(request: ChatRequest) -> HttpResponse:
    """One message of the visitor."""
    said = request.said
    text = text_of(said, "text", TEXT_LIMIT, needed=True)
    if isinstance(said.get("page"), dict):
        visitors.moved(request.visitor, page_of(said["page"]))
    return spoken(request, Utterance(request.channel, request.visitor.pk, client_id(said), text))


def spoken(request: ChatRequest, utterance: Utterance) -> HttpResponse:
    """Store it and say where it stands."""
    utterance.network = request.network
    visitors.sign_of_life(request.visitor)
    return JsonResponse({"seq": utterances.say(utterance).seq})


@door("POST")
def seen(request: ChatRequest) -> HttpResponse:
    """The visitor has read up to a number."""
    talk = events.current(request.visitor.pk)
    upto = number(request.said.get("seq"))
    if talk is not None and upto > talk.base:
        fetching.seen(talk, upto - talk.base)
    return HttpResponse(status=204)


@door("POST")
def page(request: ChatRequest) -> HttpResponse:
    """The visitor has moved on to another page."""
    talk = events.current(request.visitor.pk)
    if talk is not None and talk.is_open:
        visitors.moved(request.visitor, page_of(request.said))
        fetching.tell_colleagues(talk.ticket_id, "page")
    return HttpResponse(status=204)


@door("POST")
def person(request: ChatRequest) -> HttpResponse:
    """What the visitor says of himself."""
    tell(request, text_of(request.said, "name", 200), text_of(request.said, "email", 320))
    return HttpResponse(status=204)


def tell(request: ChatRequest, name: str, email: str) -> None:
    """Keep what he says of himself. Addresses that strangers name are counted by network, for they may get mail."""
    try:
        if email and request.network:
            guests.check_visitor(request.network)
        visitors.tell(request.visitor, name=name, email=email)
    except AddressInvalid:
        raise Refused("invalid", _("This is not an e-mail address.")) from None
    except guests.TooMany as why:
        raise Refused("too-many", why.why, 3600) from None


@door("POST")
def end(request: ChatRequest) -> HttpResponse:
    """The visitor ends the talk."""
    talk = events.current(request.visitor.pk)
    if talk is not None and talk.ended_at is None:
        chats.end(talk.ticket, None)
    return HttpResponse(status=204)


@door("POST")
def leave(request: ChatRequest) -> HttpResponse:
    """The token ends here: the next one at this browser is somebody else."""
    visitors.leave(request.channel, request.token)
    return HttpResponse(status=204)
