"""The door of every address of the workspace."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import resolve_url
from django.views.decorators.http import require_http_methods
from wagtail.permission_policies.collections import CollectionPermissionPolicy
from wagtail.permission_policies.pages import PagePermissionPolicy

from crm.organisation import access
from crm.service.models import Ticket, TicketQuerySet
from inbox.models import TicketSeen
from inbox.queries import FilterInvalid

P = ParamSpec("P")


class AgentRequest(HttpRequest):
    """A request of a colleague who works tickets."""

    user: Any
    visible_tickets: TicketQuerySet


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


def visible(request: AgentRequest) -> TicketQuerySet:
    """All tickets that the colleague may see, worked out once a request."""
    if not hasattr(request, "visible_tickets"):
        request.visible_tickets = Ticket.objects.visible_to(request.user)
    return request.visible_tickets


def ticket_or_404(request: AgentRequest, number: int) -> Ticket:
    """The ticket with this number, if the colleague may see it: a foreign one does not exist for him.

    `seen_seq` on it says how far he has read it.
    """
    seen = TicketSeen.objects.filter(ticket=OuterRef("pk"), user=request.user).values("seq")[:1]
    found = (
        visible(request)
        .numbered(number)
        .select_related("contact", "customer", "queue", "assignee", "merged_into")
        .annotate(seen_seq=Subquery(seen))
        .first()
    )
    if found is None:
        raise Http404
    return found
