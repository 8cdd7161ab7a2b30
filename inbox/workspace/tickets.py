"""Pages and fragments of one ticket."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from crm.service.models import Ticket
from inbox.services import replies, seeing
from inbox.workspace import conversation
from inbox.workspace.access import AgentRequest, desk, ticket_or_404
from inbox.workspace.lists import Listing


def _conversation(request: AgentRequest, ticket: Ticket) -> dict[str, Any]:
    seen = conversation.seen_up_to(ticket, request.user)
    window = conversation.window(ticket, request.user, seen)
    seeing.mark_seen(request.user, ticket, ticket.sequence)
    return {**conversation.head(ticket, request.user), "window": window, "seen": seen, "recipient": replies.default_recipient(ticket)}


ANSWERED_AS = (Ticket.Status.OPEN, Ticket.Status.PENDING, Ticket.Status.RESOLVED)
"""What a ticket can be set to with the answer."""


@desk("GET")
def ticket(request: AgentRequest, number: int) -> HttpResponse:
    """The whole workspace with this ticket open; for a pane change only the conversation."""
    found = ticket_or_404(request, number)
    target = found.merged_into
    if target and Ticket.objects.visible_to(request.user).filter(pk=target.pk).exists():
        return HttpResponseRedirect(conversation.address(target))
    context = _conversation(request, found)
    if request.htmx:  # type: ignore[attr-defined]
        response = render(request, "inbox/conversation.html", context)
        response.headers["Vary"] = "HX-Request"
        return response
    listing = Listing.of(request)
    return render(request, "inbox/workspace.html", {**listing.context(), **context, "page": None})


def changes(request: AgentRequest, ticket: Ticket, after: int, **extra: Any) -> HttpResponse:
    """What a page that knows all up to `after` has to show now; reading it counts as having seen it."""
    ticket.refresh_from_db()
    entries = conversation.since(ticket, after, request.user)
    seeing.mark_seen(request.user, ticket, ticket.sequence)
    context = {
        **conversation.head(ticket, request.user),
        "entries": entries,
        "deliveries": conversation.pending_deliveries(ticket),
        **extra,
    }
    return render(request, "inbox/after.html", context)


@desk("GET")
def after(request: AgentRequest, number: int, seq: int) -> HttpResponse:
    """Everything after sequence number `seq`, and the head of the ticket."""
    return changes(request, ticket_or_404(request, number), seq)


@desk("GET")
def before(request: AgentRequest, number: int, seq: int) -> HttpResponse:
    """Earlier messages."""
    found = ticket_or_404(request, number)
    window = conversation.window(found, request.user, found.sequence, before=max(seq, 1))
    return render(request, "inbox/earlier.html", {"ticket": found, "window": window})


@desk("GET")
def about(request: AgentRequest, number: int) -> HttpResponse:
    """The customer beside the conversation."""
    found = ticket_or_404(request, number)
    context = {"ticket": found, **conversation.about(found, request.user)}
    return render(request, "inbox/about.html", context)


@desk("GET")
def why(request: AgentRequest, number: int) -> HttpResponse:
    """Which rules put the ticket where it is, and with which values."""
    found = ticket_or_404(request, number)
    return render(request, "inbox/why.html", {"ticket": found, "runs": conversation.runs(found)})


