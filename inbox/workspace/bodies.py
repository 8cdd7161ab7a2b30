"""What strangers sent: mail bodies in their sandboxed frame, pictures, attachments."""

from __future__ import annotations

from urllib.parse import urlencode

from django.core import signing
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from core import html, http
from core.limits import hit
from core.outbound import OutboundRefused
from core.pictures import PictureUnreadable
from crm.service.models import Ticket
from inbox import downloads
from inbox.models import Attachment, Message
from inbox.workspace import conversation
from inbox.workspace.access import AgentRequest, desk

_SALT = "inbox.picture"
_POLICY = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
_TRANSPARENT = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"


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
        file.content_id.strip("<> "): reverse("inbox:preview", args=[file.pk])
        for file in message.attachments.exclude(content_id="")
    }
    signer = signing.Signer(salt=_SALT)

    def proxied(url: str) -> str:
        mark = signer.sign_object({"m": message.pk, "u": url})
        return reverse("inbox:picture", args=[message.pk]) + "?" + urlencode({"of": mark})

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
def picture(request: AgentRequest, pk: int) -> HttpResponse:
    """A remote picture of this message, fetched by us without cookies or referrer, and drawn anew."""
    message = _message(request, pk)
    try:
        asked = signing.Signer(salt=_SALT).unsign_object(request.GET.get("of", ""))
    except (signing.BadSignature, ValueError) as fault:
        raise Http404 from fault
    if asked.get("m") != message.pk:
        raise Http404
    try:
        if not hit(f"desk-picture:{request.user.pk}", limit=600, seconds=60):
            raise OutboundRefused("too many pictures")
        return downloads.drawn(http.get(asked["u"], limit=5 * 1024 * 1024).content)
    except (OutboundRefused, PictureUnreadable):
        return HttpResponse(_TRANSPARENT, content_type="image/gif", headers={"Cache-Control": "private, max-age=300"})


@desk("GET")
def download(request: AgentRequest, pk: int) -> HttpResponse:
    """An attachment, as a download."""
    try:
        return downloads.download(_attachment(request, pk))  # type: ignore[return-value]
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
    return render(request, "inbox/look.html", context)
