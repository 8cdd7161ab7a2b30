"""Pages and fragments of one ticket."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from crm.service.models import Ticket
from inbox.services import chats, seeing
from inbox.workspace import conversation, ways
from inbox.workspace.access import AgentRequest, desk, ticket_or_404, visible
from inbox.workspace.keys import shortcuts_of
from inbox.workspace.lists import Listing
from inbox.workspace.words import words


def _conversation(request: AgentRequest, ticket: Ticket) -> dict[str, Any]:
    seen = ticket.seen_seq or 0  # type: ignore[attr-defined]
    window = conversation.window(ticket, request.user, seen)
    mark_seen(request, ticket)
    way = ways.shown(ticket, window.entries)
    return {**conversation.head(ticket, visible(request)), "window": window, "way": way}


def mark_seen(request: AgentRequest, ticket: Ticket) -> None:
    """The colleague has read all of it; a visitor whose chat he has sees that."""
    if (ticket.seen_seq or 0) < ticket.sequence:  # type: ignore[attr-defined]
        seeing.mark_seen(request.user, ticket, ticket.sequence)
        if ticket.origin in conversation.live_kinds() and ticket.assignee_id == request.user.pk:
            chats.seen(ticket, request.user, ticket.sequence)


ANSWERED_AS = (Ticket.Status.OPEN, Ticket.Status.PENDING, Ticket.Status.RESOLVED)
"""What a ticket can be set to with the answer."""


@desk("GET")
def ticket(request: AgentRequest, number: int) -> HttpResponse:
    """The whole workspace with this ticket open (views and list follow at once); for a pane change the conversation."""
    found = ticket_or_404(request, number)
    target = found.merged_into
    if target and visible(request).filter(pk=target.pk).exists():
        return HttpResponseRedirect(conversation.address(target))
    context = _conversation(request, found)
    if request.htmx:  # type: ignore[attr-defined]
        response = render(request, "inbox/conversation.html", context)
        response.headers["Vary"] = "HX-Request"
        return response
    shell = {"listing": Listing.of(request), "words": words(), "keys": shortcuts_of(request.user.shortcuts)}
    return render(request, "inbox/workspace.html", {**shell, **context})


def changes(request: AgentRequest, ticket: Ticket, after: int, **extra: Any) -> HttpResponse:
    """What a page that knows all up to `after` has to show now; reading it counts as having seen it."""
    entries = conversation.since(ticket, after, request.user)
    heard = any(entry.message and ways.is_from_customer(entry.message, ticket) for entry in entries)
    mark_seen(request, ticket)
    mark = conversation.head_mark(ticket)
    same = mark == request.GET.get("head") and not any(entry.events for entry in entries)
    head = {"ticket": ticket, "head_mark": mark} if same else conversation.head(ticket, visible(request))
    context = {
        **head,
        "same_head": same,
        "entries": entries,
        "deliveries": conversation.pending_deliveries(ticket),
        "heard": heard,
        "way": ways.shown(ticket, entries),
        **extra,
    }
    return render(request, "inbox/after.html", context)


@desk("GET")
def after(request: AgentRequest, number: int, seq: int) -> HttpResponse:
    """Everything after sequence number `seq`, and the head of the ticket."""
    found = ticket_or_404(request, number)
    return changes(request, found, min(seq, found.sequence))


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
    context = {"ticket": found, **conversation.about(found, visible(request), request.user)}
    return render(request, "inbox/about.html", context)


@desk("GET")
def why(request: AgentRequest, number: int) -> HttpResponse:
    """Which rules put the ticket where it is, and with which values."""
    found = ticket_or_404(request, number)
    return render(request, "inbox/why.html", {"ticket": found, "runs": conversation.runs(found)})
