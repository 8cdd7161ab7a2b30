"""Files of a chat over HTTP: sent by the visitor, and fetched by him; and the pictures of colleagues."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core import limits
from core.pictures import PictureUnreadable
from crm.organisation.models import Portrait
from inbox import downloads
from inbox.channels.chat import events
from inbox.channels.chat.doors import ChatRequest, door
from inbox.channels.chat.views import FILE_BYTES, client_id, spoken
from inbox.models import Attachment, Conversation
from inbox.services import chats
from inbox.services.utterances import Refused, Utterance

FILES_AN_HOUR = 20
BYTES_A_DAY = 100 * 1024 * 1024
BYTES_OF_TALK = 200 * 1024 * 1024
"""A day, for one talk whatever visitors it has had (S-22)."""
BYTES_OF_SITE = 2 * 1024 * 1024 * 1024
"""A day, for all visitors of a channel together."""
DAY = 24 * 3600
YEAR = 365 * DAY
SMALL = 320
"""Pixels of a thumbnail's longer side."""


@door("POST", json_body=False)
def file(request: ChatRequest) -> HttpResponse:
    """One file of the visitor, as a message of its own."""
    if not request.channel.settings.get("files", True):
        raise Refused("closed", _("Files cannot be sent here."))
    try:
        length = int(request.headers.get("Content-Length") or -1)
    except ValueError:
        length = -1
    if length < 0 or length > FILE_BYTES + 16 * 1024:  # before a byte of it is read
        raise Refused("too-large", _("The file is too large."))
    sent = request.FILES.get("file")
    if sent is None or sent.size is None or len(request.FILES) != 1:
        raise Refused("invalid", _("This could not be understood."))
    if not 0 < sent.size <= FILE_BYTES:
        raise Refused("too-large", _("The file is too large."))
    name = client_id(request.POST)
    _count(request, sent.size)
    attached = (downloads.safe_name(sent.name or "file"), (sent.content_type or "")[:100], sent.read())
    return spoken(request, Utterance(request.channel, request.visitor.pk, name, "", files=[attached]))


def _count(request: ChatRequest, size: int) -> None:
    visitor, talk = request.visitor.pk, events.current(request.visitor.pk)
    counted = {
        f"chat-files:{visitor}": (1, FILES_AN_HOUR, 3600),
        f"chat-bytes:{visitor}": (size, BYTES_A_DAY, DAY),
        f"chat-bytes:site:{request.channel.pk}": (size, BYTES_OF_SITE, DAY),
    }
    if talk is not None:
        counted[f"chat-bytes:talk:{talk.pk}"] = (size, BYTES_OF_TALK, DAY)
    if request.network:
        counted[f"chat-bytes:net:{request.network}"] = (size, 3 * BYTES_A_DAY, DAY)
    if limits.hit_many(counted):
        raise Refused("too-many", _("That is too many files for now. Please send them by e-mail."), 3600)


@require_safe
def portrait(request: HttpRequest, mark: str) -> HttpResponse:
    """The picture of a colleague, for any page that carries the chat. Its address is another for each picture."""
    found = Portrait.objects.filter(user__portrait_mark=mark).exclude(user__portrait_mark="").first()
    if found is None:
        return HttpResponse(status=404)
    response = HttpResponse(bytes(found.content), content_type=found.kind)
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.varies = "Accept-Encoding"  # type: ignore[attr-defined]
    return response


@door("GET")
def download(request: ChatRequest, mark: str) -> HttpResponse:
    """A file of the visitor's own talks; `?small=1`: a picture, drawn anew.."""
    key = events.file_of(mark)
    found = Attachment.objects.select_related("message").filter(pk=key).first() if key else None
    talk = (
        Conversation.objects.select_related("visitor", "ticket")
        .filter(visitor=request.visitor.pk, ticket=found.message.ticket_id)
        .first()
        if found
        else None
    )
    if found is None or talk is None or not chats.messages_for(talk, [found.message]):
        raise Refused("gone", _("This file is not there."))
    try:
        return downloads.preview(found, SMALL) if request.GET.get("small") else downloads.download(found)
    except (PictureUnreadable, FileNotFoundError):
        raise Refused("gone", _("This file is not there.")) from None
