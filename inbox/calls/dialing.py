"""Click to call: our server tells the telephone system, or the colleague's browser opens what it understands."""

from __future__ import annotations

import http.client
import logging
from urllib.parse import quote

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from core import limits, outbound
from crm.customers import consent, numbers
from inbox.calls import working
from inbox.calls.access import phone_channel
from inbox.models import Channel
from inbox.services import call_people
from inbox.workspace.access import AgentRequest, desk

log = logging.getLogger(__name__)

A_MINUTE = 30


@desk("POST")
def dial(request: AgentRequest) -> HttpResponse:
    """Call this number: `open` names the address for the browser, `said` is for the colleague.

    Numbers that must not be called are refused, in words.
    """
    channel = phone_channel(request.user)
    number = numbers.one(request.POST.get("number", "")[:60], call_people.region_of(channel) if channel else "")
    if not number:
        return JsonResponse({"said": _("This is not a telephone number.")}, status=422)
    if why := consent.may_call(number) or working.may_dial(request.user, request.POST.get("entry", ""), number):
        return JsonResponse({"said": why}, status=422)
    if not limits.hit(f"dial:{request.user.pk}", limit=A_MINUTE, seconds=60):
        return JsonResponse({"said": _("Please wait a little before you dial again.")}, status=429)
    template = str(channel.settings.get("click_url") or "") if channel else ""
    if not template or channel is None:
        return JsonResponse({"open": f"tel:{number}", "said": ""})
    if "{from}" in template and not request.user.extension:
        return JsonResponse({"said": _("Enter your extension in your profile first.")}, status=422)
    address = filled(template, request.user.extension, number)
    if channel.settings.get("click_how") != "call":
        return JsonResponse({"open": address, "said": ""})
    return _call(channel, address)


def filled(template: str, extension: str, number: str) -> str:
    """The address with both places filled in, each so that it cannot become another part of it."""
    return template.format_map({"from": quote(extension, safe=""), "to": quote(number, safe="")})


def _call(channel: Channel, address: str) -> HttpResponse:
    try:
        answer = outbound.get(address, seconds=8, limit=20_000)
    except (outbound.OutboundRefused, OSError, http.client.HTTPException) as fault:
        log.warning("click to call of channel %s failed: %s", channel.pk, type(fault).__name__)
        return JsonResponse({"said": _("The telephone system cannot be reached.")}, status=502)
    if answer.status >= 300:
        log.warning("click to call of channel %s was answered with %s", channel.pk, answer.status)
        said = _("The telephone system refused (%(status)d).") % {"status": answer.status}
        return JsonResponse({"said": said}, status=502)
    return JsonResponse({"said": _("Your telephone rings.")})
