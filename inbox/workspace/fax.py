"""Pages of faxes on the desk: seen, turned, zoomed, and those of an answer before it is sent."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from PIL import Image

from core.limits import hit
from core.telephone import spaced
from inbox import downloads
from inbox.channels import registry
from inbox.channels.fax import composing
from inbox.channels.fax.pages import rendering
from inbox.models import FaxDocument, FaxPage, Message
from inbox.services import fax_pages, files
from inbox.workspace import ways
from inbox.workspace.access import AgentRequest, desk, ticket_or_404, visible
from inbox.workspace.writing import files_sent

THUMBS = 12
"""Pages shown small in the conversation; the viewer has all."""
PREVIEWS_A_MINUTE = 20
PREVIEW_WIDTH = 1000
_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page as the templates want it."""

    number: int
    source: str
    thumb: str
    width: int
    height: int


def _message(request: AgentRequest, pk: int) -> Message:
    """A message that the colleague may see, of a channel whose messages are pages."""
    found = get_object_or_404(Message.objects.select_related("channel", "ticket"), pk=pk, ticket__in=visible(request))
    if found.channel is None or not registry.has(found.channel.kind, "has_pages"):
        raise Http404
    return found


def _sheets(document: FaxDocument) -> list[Sheet]:
    turned = document.turn in (90, 270)
    found = []
    for page in document.pages.all():
        address = f"{reverse('inbox:fax_page', args=[page.pk])}?turn={document.turn}"
        width, height = (page.height, page.width) if turned else (page.width, page.height)
        found.append(Sheet(page.number, address, f"{address}&small=1", width, height))
    return found


@desk("GET")
def pages(request: AgentRequest, pk: int) -> HttpResponse:
    """The pages in small, inside their message; while they are being drawn, the page asks again."""
    message = _message(request, pk)
    document = fax_pages.of(message)
    sheets = _sheets(document)
    context = {
        "message": message,
        "document": document,
        "sheets": sheets[:THUMBS],
        "more": max(0, len(sheets) - THUMBS),
        "waiting": document.state == FaxDocument.State.WAITING,
        "why": rendering.WORDS.get(document.reason, ""),
        "missing": max(0, document.count - len(sheets)) if sheets else 0,
    }
    return render(request, "inbox/fax/pages.html", context)


@desk("GET")
def viewer(request: AgentRequest, pk: int) -> HttpResponse:
    """All pages, large."""
    message = _message(request, pk)
    document = fax_pages.of(message)
    first = next(iter(message.attachments.all()), None) if message.kind == Message.Kind.INBOUND else None
    context = {
        "title": message.from_name or spaced(message.from_address) or _("Fax"),
        "sheets": _sheets(document),
        "turn_url": reverse("inbox:fax_turn", args=[message.pk]),
        "turn": document.turn,
        "file": first,
    }
    return render(request, "inbox/fax/viewer.html", context)


@desk("POST")
def turn(request: AgentRequest, pk: int) -> HttpResponse:
    """Turn the pages for everybody; answers how they stand now."""
    message = _message(request, pk)
    degrees = request.POST.get("degrees", "")
    if degrees not in ("90", "180", "270"):
        return HttpResponseBadRequest("degrees: 90, 180 or 270", content_type="text/plain")
    return JsonResponse({"turn": fax_pages.turn(fax_pages.of(message), int(degrees))})


@desk("GET")
def page(request: AgentRequest, pk: int) -> HttpResponse:
    """One page as a picture of our own making."""
    mine = Q(document__message__ticket__in=visible(request)) | Q(document__raw__message__ticket__in=visible(request))
    found = FaxPage.objects.filter(mine, pk=pk).first()
    if found is None:
        raise Http404
    degrees = request.GET.get("turn", "0")
    try:
        content = files.read_blob("fax", found.thumb if request.GET.get("small") == "1" else found.picture)
    except FileNotFoundError as fault:
        raise Http404 from fault
    return downloads.our_picture(_turned(content, int(degrees) if degrees in ("90", "180", "270") else 0))


def _turned(content: bytes, degrees: int) -> bytes:
    if not degrees:
        return content
    with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
        out = io.BytesIO()
        picture.transpose(_TURNS[degrees]).save(out, "PNG", bits=4)
    return out.getvalue()


@desk("POST")
def preview(request: AgentRequest, number: int) -> HttpResponse:
    """The pages of the answer as it stands in the composer. Nothing is kept and nothing is sent."""
    ticket = ticket_or_404(request, number)
    if not hit(f"fax-preview:{request.user.pk}", limit=PREVIEWS_A_MINUTE, seconds=60):
        return _unavailable(request, _("Please wait a little before you look again."))
    try:
        way = ways.asked_for(ticket, request.user, request.POST.get("channel", ""), request.POST.get("to", ""))
        if way is None or not registry.has(way.channel.kind, "has_pages"):
            raise Http404
        attached = files_sent(request)
        composing.refuse_files(attached)
    except (ValueError, ValidationError) as fault:
        return _unavailable(request, " ".join(getattr(fault, "messages", [str(fault)])))
    result = composing.draw(
        ticket=ticket,
        author=request.user,
        text=request.POST.get("text", "").replace("\x00", ""),
        attached=attached,
        channel=way.channel,
        recipient=way.recipient,
        width=PREVIEW_WIDTH,
    )
    if result.refused or not result.pages:
        return _unavailable(request, composing.refusal(result, [name for name, _kind, _content in attached]))
    sheets = [
        Sheet(each.number, _inline(each.picture), _inline(each.thumb), each.width, each.height) for each in result.pages
    ]
    return render(request, "inbox/fax/viewer.html", {"title": _("This is what will be faxed"), "sheets": sheets})


def _inline(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def _unavailable(request: AgentRequest, words: str) -> HttpResponse:
    return render(request, "inbox/fax/viewer.html", {"title": _("This cannot be faxed yet"), "refused": words})
