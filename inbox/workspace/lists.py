"""The left and the middle pane: views, queues and the list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from crm.organisation import access
from crm.organisation.models import User
from crm.service.models import Ticket, TicketQuerySet
from inbox import queries, search
from inbox.channels import registry
from inbox.queries import FilterInvalid, Filters, View
from inbox.workspace.access import AgentRequest, desk, visible
from inbox.workspace.keys import shortcuts_of
from inbox.workspace.words import words
from routing.models import Queue

_OWN = ("view", "order", "after", "size", "pane")


def _first_view(user: User) -> str:
    """What somebody has to look at when he comes: his own work, or everybody's when he answers for it."""
    return "open" if access.sees_all_tickets(user) else "mine"


@dataclass
class Listing:
    """What a request says about the list: which view, narrowed by what, in which order."""

    user: User
    base: TicketQuerySet
    """All that the colleague may see."""
    key: str
    extra: Filters
    asked_order: str

    @classmethod
    def of(cls, request: AgentRequest) -> Listing:
        """Read it from the query string. Raises FilterInvalid."""
        asked = request.GET.copy()
        own = {name: asked.pop(name, [""])[-1] for name in _OWN}
        default = "all" if asked.get("q") and not own["view"] else _first_view(request.user)
        listing = cls(request.user, visible(request), own["view"] or default, queries.read_filters(asked), own["order"])
        if listing.asked_order and listing.asked_order not in queries.ORDERS:
            raise FilterInvalid("unknown order")
        return listing

    @cached_property
    def queues(self) -> list[Queue]:
        """Queues of the left pane."""
        return queries.queues_of(self.user)

    @cached_property
    def views(self) -> list[View]:
        """Views of the left pane."""
        return queries.views_of(self.user, self.queues)

    @cached_property
    def view(self) -> View:
        """The chosen view. Raises FilterInvalid when there is none such (any more)."""
        for view in self.views:
            if view.key == self.key:
                return view
        raise FilterInvalid("no such view")

    @property
    def filters(self) -> Filters:
        """Of the view, and what narrows it further."""
        return {**queries.read_filters(self.view.filters), **self.extra}

    @property
    def order(self) -> str:
        """How the list is sorted."""
        return self.asked_order or self.view.order

    @property
    def text(self) -> str:
        """What stands in the search box."""
        return self.extra.get("q", [""])[0]

    @property
    def query(self) -> str:
        """The query string that names this list."""
        pairs = [("view", self.key), *((n, v) for n, values in self.extra.items() for v in values)]
        if self.asked_order:
            pairs.append(("order", self.asked_order))
        return urlencode(pairs)

    def page(self, after: str = "", size: int = queries.PAGE) -> queries.Page:
        """Rows of the list."""
        filters = dict(self.filters)
        text = filters.pop("q", [""])[0]
        if number := search.number_in(text):
            return queries.page(self.base.numbered(number), self.user)
        rows = queries.narrow(self.base, filters, self.user)
        return queries.page(rows, self.user, text=text, order=self.order, after=after, size=size)

    def counts(self) -> dict[str, int]:
        """How many tickets the views hold."""
        return queries.counts(self.base, [v for v in self.views if v.key not in ("all", "resolved")], self.user)

    def context(self) -> dict[str, Any]:
        """What the left pane and the head of the list show."""
        counts = self.counts()
        lines = [(view, counts.get(view.key)) for view in self.views]
        return {
            "listing": self,
            "fixed_views": [line for line in lines if not line[0].saved and not line[0].colour],
            "saved_views": [line for line in lines if line[0].saved],
            "queue_views": [line for line in lines if line[0].colour],
            "statuses": [c for c in Ticket.Status.choices if c[0] != Ticket.Status.MERGED],
            "priorities": Ticket.Priority.choices,
            "queues": self.queues,
            "media": registry.adapters(),
            "may_share": access.sees_all_tickets(self.user),
            "words": words(),
            "keys": shortcuts_of(self.user.shortcuts),
        }


def _size(request: AgentRequest) -> int:
    asked = request.GET.get("size", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else queries.PAGE


@desk("GET")
def inbox(request: AgentRequest) -> HttpResponse:
    """The workspace without a ticket."""
    listing = Listing.of(request)
    page = listing.page(request.GET.get("after", ""))
    context = {**listing.context(), "page": page, "pane": request.GET.get("pane", "")}
    return render(request, "inbox/workspace.html", context)


@desk("GET")
def rows(request: AgentRequest) -> HttpResponse:
    """Rows of a list: the next page, or as many from the top as the browser shows."""
    listing = Listing.of(request)
    page = listing.page(request.GET.get("after", ""), _size(request))
    return render(request, "inbox/rows.html", {"listing": listing, "page": page})


@desk("GET")
def panes(request: AgentRequest) -> HttpResponse:
    """Left pane and list in one, for a switch of views."""
    listing = Listing.of(request)
    page = listing.page(request.GET.get("after", ""))
    return render(request, "inbox/panes.html", {**listing.context(), "page": page})


@desk("GET")
def counts(request: AgentRequest) -> HttpResponse:
    """Counts of all views, by key; 100 means "more than 99"."""
    return JsonResponse(Listing.of(request).counts())
