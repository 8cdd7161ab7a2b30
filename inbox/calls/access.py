"""The door of the screens of calls: what `inbox.workspace.access` is for tickets."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from wagtail.permission_policies.collections import CollectionPermissionPolicy
from wagtail.permission_policies.pages import PagePermissionPolicy

from core.staff.views import StaffView
from crm.organisation import access
from crm.service.models import Ticket
from inbox.models import Call, Channel


def call_or_404(user: Any, pk: int) -> Call:
    """The call, if the colleague may see it: a foreign one does not exist for him. Raises Http404."""
    rows = Call.objects.visible_to(user).select_related(
        "channel__queue", "queue", "contact__customer", "agent", "ticket", "message", "logged_by"
    )
    return get_object_or_404(rows, pk=pk)


def ticket_of(user: Any, number: str) -> Ticket | None:
    """The visible ticket with this number, or None."""
    return Ticket.objects.visible_to(user).numbered(number).select_related("contact__customer", "queue").first()


def phone_channel(user: Any) -> Channel | None:
    """The telephone channel of one of the colleague's queues, else the first there is."""
    rows = list(Channel.objects.filter(kind="phone", active=True).select_related("queue__hours").order_by("id"))
    mine = set(user.queue_memberships.values_list("queue_id", flat=True)) if len(rows) > 1 else set()
    return next((row for row in rows if row.queue_id in mine), rows[0] if rows else None)


class CallsView(StaffView):
    """A page below /desk/calls/, for colleagues who work tickets."""

    permissions: tuple[str, ...] = ()
    header_icon = "g-phone"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whoever works no tickets is told that nothing is here. Raises Http404."""
        user = request.user
        if user.is_authenticated and not access.works_tickets(user):
            raise Http404
        if user.is_authenticated:
            # The shell's search box would look up pages and collections, which nobody looks for here.
            setattr(user, PagePermissionPolicy.permission_cache_name, [])
            setattr(user, CollectionPermissionPolicy.permission_cache_name, [])
        return super().dispatch(request, *args, **kwargs)
