"""On a telephone channel's page: the address that its telephone system reports to, shown once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from wagtail.admin import messages

from core.staff.panels import Panel, register_panel
from core.staff.views import StaffRequired
from inbox.models import Channel
from inbox.services import call_tokens


def address(token: str) -> str:
    """Where a telephone system with this token reports."""
    return f"{settings.BASE_URL}/api/v1/cti/{token}"


def reports(request: Any, channel: Channel) -> Panel | None:
    """The address, while it is new; how many reports were refused; how to try it out."""
    if channel.kind != "phone":
        return None
    context = {
        "channel": channel,
        "fresh": request.session.pop(f"cti-{channel.pk}", ""),
        "has_token": bool(channel.settings.get("token_hash")),
        "hidden": address("…"),
        "refusals": call_tokens.refusals(channel),
        "may_change": request.user.has_perm("inbox.change_channel"),
    }
    return Panel(_("Telephone system"), "inbox/calls/channel_panel.html", context)


register_panel("channel", 10, reports)


class RenewToken(StaffRequired):
    """Makes a new token; the old one opens nothing from then on."""

    permissions = ("inbox.change_channel",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it, and show the address once."""
        channel = self.visible_or_404(Channel, pk=pk)
        if channel.kind != "phone":
            raise Http404
        request.session[f"cti-{pk}"] = address(call_tokens.renew(channel))
        messages.success(request, _("Use the new address in the telephone system now; the old one no longer works."))
        return redirect("channels:record", pk)
