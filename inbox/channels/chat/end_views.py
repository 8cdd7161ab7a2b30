"""What surrounds the talk over HTTP: its rating, its transcript, and the form while nobody is here."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from crm.customers.identity import normalise_email
from crm.service import services
from crm.service.changes import TicketMerged
from inbox.channels.chat import events
from inbox.channels.chat.doors import ChatRequest, door, text_of
from inbox.channels.chat.views import client_id, number, tell
from inbox.models import Channel, RawMessage
from inbox.services import guests, transcripts
from inbox.services.utterances import Refused

FORM_TEXT = 20_000


@door("POST")
def rating(request: ChatRequest) -> HttpResponse:
    """How the visitor found our help; a second rating replaces the first."""
    score, comment = number(request.said.get("score")), text_of(request.said, "comment", 5000)
    talk = events.current(request.visitor.pk)
    if talk is None or talk.ticket.contact is None:
        raise Refused("gone", _("There is no chat to rate."))
    try:
        if talk.is_open:
            raise services.RatingImpossible
        services.rate(talk.ticket, talk.ticket.contact, score, comment)
    except (services.RatingImpossible, TicketMerged):
        raise Refused("closed", _("This chat cannot be rated now.")) from None
    return HttpResponse(status=204)


@door("POST")
def transcript(request: ChatRequest) -> HttpResponse:
    """The talk by mail. An address that nobody proved to be his is asked first."""
    if not request.channel.settings.get("transcript", True):
        raise Refused("closed", _("Transcripts are not sent here."))
    email = text_of(request.said, "email", 320)
    if email and not request.visitor.identifier:
        tell(request, "", email)
    talk = events.current(request.visitor.pk)
    if talk is None:
        raise Refused("gone", _("There is no chat to send."))
    try:
        sent = transcripts.request(talk)
    except transcripts.NoAddress:
        raise Refused("invalid", _("Please give an e-mail address.")) from None
    except guests.TooMany as why:
        raise Refused("too-many", why.why, 3600) from None
    return JsonResponse({"done": "sent" if sent else "confirm"})


@door("POST")
def form(request: ChatRequest) -> HttpResponse:
    """A message left while nobody is here: it reaches us once the owner of the address confirms it (S-50)."""
    said = request.said
    name, text = text_of(said, "name", 200, needed=True), text_of(said, "text", FORM_TEXT, needed=True)
    email, phone = normalise_email(text_of(said, "email", 320, needed=True)), text_of(said, "phone", 40)
    if not email:
        raise Refused("invalid", _("This is not an e-mail address."))
    channel = _form_of(request.channel)
    if channel is None:
        raise Refused("gone", _("Messages cannot be left here."))
    key = f"chat-{request.visitor.pk}-{client_id(said)}"
    if RawMessage.objects.filter(channel=channel, external_id=key).exists():
        return JsonResponse({"done": "confirm"})  # the same form again, whose answer was lost
    if phone:
        text = f"{text}\n\n{_('Phone number')}: {phone}"
    try:
        guests.hold(
            channel,
            visitor=request.network or "exempt",
            name=name,
            email=email,
            subject=" ".join(text.split())[:80],
            text=text,
            topic="",
            sent=[],
            key=key,
        )
    except guests.TooMany as why:
        raise Refused("too-many", why.why, 3600) from None
    return JsonResponse({"done": "confirm"})


def _form_of(chat: Channel) -> Channel | None:
    """The form whose tickets land where those of the chat do, else any."""
    forms = list(Channel.objects.filter(kind="webform", active=True).order_by("id"))
    return next((each for each in forms if each.queue_id == chat.queue_id), forms[0] if forms else None)
