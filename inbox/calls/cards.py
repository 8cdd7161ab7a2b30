"""The card that shows while it rings: who calls, and what to do about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.customers import consent, timeline
from crm.customers.models import Contact, TimelineEntry
from crm.organisation.models import User
from crm.service.models import Ticket
from inbox.calls.access import call_or_404, ticket_of
from inbox.calls.words import OUTCOMES
from inbox.models import Call
from inbox.services import call_log, calls
from inbox.workspace import conversation
from inbox.workspace.access import AgentRequest, desk, visible

TICKETS, PAST = 4, 4
RINGS = timedelta(minutes=15)
"""A card shows no longer while it rings: nobody waits so long, its end was not told."""
AFTERWARDS = timedelta(minutes=5)
"""So long after a talk its card stays for who had it, to write down what came of it."""
NOTE_MOST = 20_000


@desk("GET")
def ringing(request: AgentRequest) -> HttpResponse:
    """The calls whose card this colleague should see now."""
    rows = Call.objects.visible_to(request.user).filter(started_at__gt=timezone.now() - calls.LONGEST)
    recent = timezone.now() - RINGS
    mine = Q(state=Call.State.RINGING, rang=request.user, started_at__gt=recent)
    mine |= Q(state=Call.State.RINGING, agent=request.user, started_at__gt=recent)
    mine |= Q(state=Call.State.TALKING, agent=request.user)
    mine |= _over(request.user)
    return JsonResponse({"calls": sorted(set(rows.filter(mine).values_list("pk", flat=True)[:20]))})


def _over(user: User) -> Q:
    """Talks of `user` that ended just now, and of which he has not said what came of them."""
    since = timezone.now() - AFTERWARDS
    return Q(state=Call.State.ENDED, agent=user, ended_at__gt=since, outcome="", logged_by=None)


@desk("GET")
def card(request: AgentRequest, pk: int) -> HttpResponse:
    """The card, or 204 when there is nothing to show any more."""
    return _card(request, call_or_404(request.user, pk))


def _card(request: AgentRequest, call: Call) -> HttpResponse:
    foreign = call.state == Call.State.TALKING and call.agent_id != request.user.pk
    longest = RINGS if call.state == Call.State.RINGING else calls.LONGEST
    alive = call.is_live and not foreign and call.started_at >= timezone.now() - longest
    if not alive and not Call.objects.filter(_over(request.user), pk=call.pk).exists():
        return HttpResponse(status=204)
    return render(request, "inbox/calls/card.html", {"call": call, **about(request, call)})


def about(request: AgentRequest, call: Call) -> dict[str, Any]:
    """What is known of the other side."""
    contact = call.contact
    if contact is None:
        return {"contact": None, "outcomes": OUTCOMES}
    tickets = visible(request).filter(contact=contact, status__in=Ticket.UNFINISHED)
    entries = TimelineEntry.objects.filter(contact=contact).order_by("-at", "-id")
    return {
        "contact": contact,
        "customer": contact.customer,
        "tickets": list(tickets.select_related("queue").order_by("-activity_at", "-id")[:TICKETS]),
        "past": timeline.visible_to(request.user, entries, PAST),
        "outcomes": OUTCOMES,
        "refused": consent.may_call(call.number) if call.number else "",
    }


@desk("POST")
def notes(request: AgentRequest, pk: int) -> HttpResponse:
    """Keep what was written on the card. While it rings or goes on it becomes the text of the call's message."""
    call = call_or_404(request.user, pk)
    outcome = request.POST.get("outcome", "")
    if outcome not in ("", *OUTCOMES):
        return HttpResponseBadRequest("There is no such outcome.", content_type="text/plain")
    note = request.POST.get("note", "").replace("\x00", "").replace("\r\n", "\n")[:NOTE_MOST]
    call_log.annotate(call, note=note, outcome=outcome, by=request.user)
    if request.POST.get("back"):
        return HttpResponseRedirect(reverse("calls:call", args=[pk]))
    return JsonResponse({"said": _("Saved.")})


@desk("POST")
def ticket(request: AgentRequest, pk: int) -> HttpResponse:
    """Put the call on a ticket: one of the caller's, or (without a number) a new one."""
    call = call_or_404(request.user, pk)
    number = request.POST.get("ticket", "")
    if number:
        found = ticket_of(request.user, number)
        if found is None:
            return JsonResponse({"said": _("There is no such ticket.")}, status=404)
        if not call_log.link_to_ticket(call, found):
            return JsonResponse({"said": _("The call is over, and stands on its ticket already.")}, status=409)
    else:
        found = call_log.open_ticket(call, by=request.user)
    return JsonResponse({"open": conversation.address(found), "said": _("The call is on ticket #%d.") % found.number})


@desk("POST")
def person(request: AgentRequest, pk: int) -> HttpResponse:
    """It is somebody else: a contact, a new one by name, or nobody we know. The card anew."""
    call = call_or_404(request.user, pk)
    key, name = request.POST.get("contact", ""), request.POST.get("name", "")[:200]
    contact = None
    if key:
        if not (key.isascii() and key.isdigit() and len(key) < 18):
            return HttpResponseBadRequest("That is not a contact.", content_type="text/plain")
        contact = get_object_or_404(Contact.objects.visible_to(request.user), pk=int(key))  # type: ignore[attr-defined]
    call.contact = call_log.name_caller(call, contact, name=name).contact
    return _card(request, call)
