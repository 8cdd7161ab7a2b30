"""The door of every address of the workspace."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db.models import Exists, OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import resolve_url
from django.views.decorators.http import require_http_methods
from wagtail.permission_policies.collections import CollectionPermissionPolicy
from wagtail.permission_policies.pages import PagePermissionPolicy

from core.composed import Composed
from crm.organisation import access
from crm.service.models import NUMBER_OFFSET, Ticket, TicketLink, TicketQuerySet, queues_worked_by
from inbox.models import TicketSeen
from inbox.queries import FilterInvalid

P = ParamSpec("P")


class AgentRequest(HttpRequest):
    """A request of a colleague who works tickets."""

    user: Any
    visible_tickets: TicketQuerySet
    queues: list[int] | None


View = Callable[Concatenate[AgentRequest, P], HttpResponse]


def desk(*methods: str) -> Callable[[View[P]], View[P]]:
    """Only for colleagues who work tickets: strangers are sent to the login, anybody else is told that nothing is here.

    A filter that does not exist is answered with 400.
    """

    def decorate(view: View[P]) -> View[P]:
        @require_http_methods([*methods, "HEAD"] if "GET" in methods else [*methods])
        @wraps(view)
        def guarded(request: AgentRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
            if not access.works_tickets(request.user):
                raise Http404
            # The shell's search box would look up pages and collections, which nobody looks for here.
            setattr(request.user, PagePermissionPolicy.permission_cache_name, [])
            setattr(request.user, CollectionPermissionPolicy.permission_cache_name, [])
            try:
                response = view(request, *args, **kwargs)
            except FilterInvalid:
                return HttpResponseBadRequest("This list cannot be narrowed so.", content_type="text/plain")
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response

        return guarded

    return decorate


def key_in(text: str) -> int:
    """The id in a form or an address; 0, which no row has, for what is no number or longer than any (S-71)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def visible(request: AgentRequest) -> TicketQuerySet:
    """All tickets that the colleague may see, worked out once a request."""
    if not hasattr(request, "visible_tickets"):
        request.visible_tickets = Ticket.objects.worked_by(request.user.pk, _queues(request))
    return request.visible_tickets


def _queues(request: AgentRequest) -> list[int] | None:
    """Of which the colleague works the tickets; None: of all."""
    if not access.works_tickets(request.user):
        raise Http404
    if not hasattr(request, "queues"):
        request.queues = queues_worked_by(request.user)
    return request.queues


def ticket_or_404(request: AgentRequest, number: int) -> Ticket:
    """The ticket with this number, if the colleague may see it: a foreign one does not exist for him.

    `seen_seq` on it says how far he has read it, `has_claims` whether it says that it belongs to another one.
    """
    user, key, queues = request.user.pk, number - NUMBER_OFFSET, _queues(request)
    found = (_any(user, key) if queues is None else _worked(user, queues, key)) if 0 < key < 2**62 else []
    if not found:
        raise Http404
    return found[0]


def _opened(tickets: TicketQuerySet, user: int, key: int) -> TicketQuerySet:
    claims = TicketLink.objects.filter(ticket=OuterRef("pk"), kind=TicketLink.Kind.UNVERIFIED)
    seen = TicketSeen.objects.filter(ticket=OuterRef("pk"), user_id=user).values("seq")[:1]
    rows = tickets.filter(pk=key).select_related("contact", "customer", "queue", "assignee", "merged_into")
    return rows.annotate(seen_seq=Subquery(seen), has_claims=Exists(claims)).order_by()


_any = Composed(lambda user, key: _opened(Ticket.objects.all(), user, key))
_worked = Composed(lambda user, queues, key: _opened(Ticket.objects.worked_by(user, queues), user, key))
