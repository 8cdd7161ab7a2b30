"""The door of every address of the workspace."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import resolve_url
from django.conf import settings
from django.views.decorators.http import require_http_methods

from crm.organisation import access
from crm.service.models import Ticket
from inbox.queries import FilterInvalid

P = ParamSpec("P")


class AgentRequest(HttpRequest):
    """A request of a colleague who works tickets."""

    user: Any


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
            try:
                response = view(request, *args, **kwargs)
            except FilterInvalid:
                return HttpResponseBadRequest("This list cannot be narrowed so.", content_type="text/plain")
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response

        return guarded

    return decorate


def ticket_or_404(request: AgentRequest, number: int) -> Ticket:
    """The ticket with this number, if the colleague may see it: a foreign one does not exist for him."""
    found = (
        Ticket.objects.visible_to(request.user)
        .numbered(number)
        .select_related("contact", "customer", "queue", "assignee", "sla", "merged_into")
        .first()
    )
    if found is None:
        raise Http404
    return found
