"""What strangers sent, on an address that takes no cookie: by a signed mark that names the reader and lasts an hour.

A mail's frame has no origin, so its pictures come without a session; and with settings.USERCONTENT_URL all of this
stands on a host where no session is at stake (S-16). The mark is no right by itself: whoever it was made for must still
see the ticket when it is used (S-35).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from core import http
from core.limits import hit
from core.outbound import OutboundRefused
from core.pictures import PictureUnreadable
from crm.organisation.models import User
from crm.service.models import Ticket
from inbox import downloads
from inbox.models import Attachment, Message

SECONDS = 3600
REMOTE_BYTES = 5 * 1024 * 1024
REMOTE_A_MINUTE = 300
_SALT = "inbox.usercontent"
_NOTHING = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


def _address(user: User, **what: Any) -> str:
    mark = signing.dumps({"by": user.pk, **what}, salt=_SALT, compress=True)
    return settings.USERCONTENT_URL + reverse("usercontent", args=[mark])


def picture_of(attachment: Attachment, user: User) -> str:
    """Where `user` finds this picture, drawn anew."""
    return _address(user, picture=attachment.pk)


def file_of(attachment: Attachment, user: User) -> str:
    """Where `user` downloads this file."""
    return _address(user, file=attachment.pk)


def remote_picture(url: str, message: Message, user: User) -> str:
    """Where `user` finds the picture that `message` asks for from elsewhere: we fetch it for him."""
    return _address(user, remote=url, message=message.pk)


@require_safe
def usercontent(request: HttpRequest, mark: str) -> HttpResponse:
    """The content that the mark names, if its reader may (still) see it."""
    try:
        what = signing.loads(mark, salt=_SALT, max_age=SECONDS)
    except signing.BadSignature as fault:
        raise Http404 from fault
    user = User.objects.filter(pk=what["by"], is_active=True).first()
    try:
        if "remote" in what:
            return _remote(what, user)
        attachment = Attachment.objects.visible_to(user).filter(pk=what.get("picture") or what.get("file")).first()
        if attachment is None:
            raise Http404
        response = downloads.preview(attachment) if "picture" in what else downloads.download(attachment)
    except (PictureUnreadable, FileNotFoundError) as fault:
        raise Http404 from fault
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _remote(what: dict[str, Any], user: User | None) -> HttpResponse:
    visible = Ticket.objects.visible_to(user)
    if user is None or not Message.objects.filter(pk=what["message"], ticket__in=visible).exists():
        raise Http404
    try:
        if not hit(f"remote-picture:{user.pk}", limit=REMOTE_A_MINUTE, seconds=60):
            raise OutboundRefused("too many pictures")
        response = downloads.drawn(http.get(what["remote"], limit=REMOTE_BYTES).content)
    except (OutboundRefused, PictureUnreadable):
        response = HttpResponse(_NOTHING, content_type="image/gif")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


urlpatterns = [path("<str:mark>/", usercontent, name="usercontent")]
