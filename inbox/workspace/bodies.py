"""What strangers sent: mail bodies in their sandboxed frame, pictures, attachments."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from core import html
from core.pictures import PictureUnreadable
from crm.service.models import Ticket
from inbox import downloads, usercontent
from inbox.models import Attachment, Message
from inbox.services.scanning import FileWithheld
from inbox.workspace import conversation
from inbox.workspace.access import AgentRequest, desk

PICTURES_MOST = 200
"""Pictures of one mail that are shown in its frame."""
_SOURCE = settings.USERCONTENT_URL or "'self'"
_POLICY = (
    f"default-src 'none'; img-src {_SOURCE} data:; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none';"
    " form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def _message(request: AgentRequest, pk: int) -> Message:
    visible = Ticket.objects.visible_to(request.user)
    return get_object_or_404(Message.objects.filter(ticket__in=visible), pk=pk)


def _attachment(request: AgentRequest, pk: int) -> Attachment:
    return get_object_or_404(Attachment.objects.visible_to(request.user), pk=pk)


@desk("GET")
def frame(request: AgentRequest, pk: int) -> HttpResponse:
    """The HTML of a mail as a document of its own, without scripts, forms or requests to the outside (S-01, S-07)."""
    message = _message(request, pk)
    own = {
        file.content_id.strip("<> "): usercontent.picture_of(file, request.user)
        for file in message.attachments.exclude(content_id="")[:PICTURES_MOST]
    }

    def proxied(url: str) -> str:
        return usercontent.remote_picture(url, message, request.user)

    load = request.GET.get("pictures") == "1"
    body = html.clean(message.html, own, proxied if load else "block")
    response = render(request, "inbox/frame.html", {"body": body})
    response.headers["Content-Security-Policy"] = _POLICY
    response._csp_exempt = True  # type: ignore[attr-defined]
    response.xframe_options_exempt = True  # type: ignore[attr-defined]  # frame-ancestors says it
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@desk("GET")
def download(request: AgentRequest, pk: int) -> HttpResponse:
    """An attachment, as a download."""
    found = _attachment(request, pk)
    if settings.USERCONTENT_URL:
        return HttpResponseRedirect(usercontent.file_of(found, request.user))
    try:
        return downloads.download(found)
    except FileNotFoundError as fault:
        raise Http404 from fault


@desk("GET")
def preview(request: AgentRequest, pk: int) -> HttpResponse:
    """An attachment that is a picture, drawn anew."""
    side = 480 if request.GET.get("small") == "1" else 1600
    try:
        return downloads.preview(_attachment(request, pk), side)
    except (PictureUnreadable, FileNotFoundError) as fault:
        raise Http404 from fault


@desk("GET")
def look(request: AgentRequest, pk: int) -> HttpResponse:
    """An attachment in a dialog: a picture drawn anew, the beginning of a text, or only its name."""
    attachment = _attachment(request, pk)
    context = {"file": attachment, "name": conversation.on_one_line(attachment.name, 200)}
    kind = attachment.content_type.lower().partition(";")[0]
    if kind in conversation.PICTURES:
        context["picture"] = True
    elif kind in conversation.TEXTS:
        try:
            context["text"] = conversation.visible(downloads.beginning(attachment))
        except FileNotFoundError:
            context["text"] = _("The file cannot be read at the moment.")
        except FileWithheld as why:
            context["text"] = str(why)
    return render(request, "inbox/look.html", context)
