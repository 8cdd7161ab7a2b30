"""Screens of tickets in the shell: the long list with filters and export. Work on a ticket is done in the workspace."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.staff import filters
from core.staff.columns import BadgesColumn, LinkColumn, MomentColumn, PersonColumn, PriorityColumn, StatusColumn
from core.staff.panels import Panel, register_panel
from core.staff.viewsets import RecordList, RecordViewSet
from crm.customers.models import Contact, Customer, Tag
from crm.organisation import access
from crm.organisation.models import User
from crm.service.models import NUMBER_OFFSET, Ticket
from routing.models import Queue


def ticket_url(ticket: Ticket) -> str:
    """The ticket's page in the workspace."""
    return reverse("inbox:ticket", args=[ticket.number])


def queues_of(request: Any) -> QuerySet[Queue]:
    """Queues that this colleague sees tickets of."""
    if access.sees_all_tickets(request.user):
        return Queue.objects.all()
    return Queue.objects.filter(members__user=request.user)


class TicketFilter(filters.WagtailFilterSet):
    """Tickets by where they stand; each takes several values."""

    status = filters.choices("status", gettext_lazy("Status"), Ticket.Status.choices)
    priority = filters.choices("priority", gettext_lazy("Priority"), Ticket.Priority.choices)
    queue = filters.records("queue", gettext_lazy("Queue"), queues_of)
    assignee = filters.records(
        "assignee", gettext_lazy("Assignee"), lambda _request: User.objects.filter(is_staff=True, is_active=True)
    )
    tags = filters.records("tags", gettext_lazy("Tags"), lambda _request: Tag.objects.all(), distinct=True)
    opened_at = filters.days("opened_at", gettext_lazy("Opened"))

    class Meta:
        model = Ticket
        fields = ()


class TicketList(RecordList):
    """The list. A number in the search box finds that ticket."""

    def search_queryset(self, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        """The ticket of that number, else subjects and contacts."""
        number = self.search_query.strip().lstrip("#")
        if number.isascii() and number.isdigit() and int(number[:17]) > NUMBER_OFFSET and len(number) < 18:
            return queryset.filter(pk=int(number) - NUMBER_OFFSET)
        return super().search_queryset(queryset)


class TicketViewSet(RecordViewSet):
    """Tickets."""

    name = "tickets"
    url_prefix = "tickets"
    audited = False
    model = Ticket
    icon = "g-ticket"
    menu_name = "tickets"
    menu_order = 200
    add_to_admin_menu = True
    index_view_class = TicketList
    add_enabled = edit_enabled = delete_enabled = False
    list_display: ClassVar = [
        LinkColumn(
            "subject",
            label=gettext_lazy("Subject"),
            accessor=lambda ticket: ticket.subject or _("(no subject)"),
            note=lambda ticket: f"#{ticket.number} · {ticket.contact}",
            url=ticket_url,
            classname="title",
            sort_key="id",
        ),
        StatusColumn("status", label=gettext_lazy("Status"), sort_key="status"),
        PriorityColumn("priority", label=gettext_lazy("Priority"), sort_key="priority"),
        "queue",
        PersonColumn("assignee", label=gettext_lazy("Assignee")),
        BadgesColumn(
            "tags", label=gettext_lazy("Tags"), accessor=lambda ticket: [tag.name for tag in ticket.tags.all()]
        ),
        MomentColumn("activity_at", label=gettext_lazy("Last activity"), sort_key="activity_at"),
    ]
    list_export: ClassVar = [
        "number",
        "subject",
        "get_status_display",
        "get_priority_display",
        "queue",
        "assignee",
        "contact",
        "customer",
        "opened_at",
        "first_answered_at",
        "resolved_at",
        "closed_at",
    ]
    export_headings: ClassVar = {
        "number": gettext_lazy("Number"),
        "get_status_display": gettext_lazy("Status"),
        "get_priority_display": gettext_lazy("Priority"),
    }
    export_filename = "tickets"
    search_fields: ClassVar = ["subject", "contact__name"]
    filterset_class = TicketFilter
    ordering = "-activity_at"
    select_related = ("queue", "assignee", "contact", "customer")
    prefetch_related = ("tags", "contact__points")


def _panel(request: Any, rows: QuerySet[Ticket]) -> Panel | None:
    if not request.user.has_perm("service.view_ticket"):
        return None
    rows = rows.select_related("queue", "assignee").order_by("-activity_at", "-id")
    tickets = [(ticket, ticket_url(ticket)) for ticket in rows[:20]]
    return Panel(_("Tickets"), "service/staff/panel_tickets.html", {"tickets": tickets})


def customer_tickets(request: Any, customer: Customer) -> Panel | None:
    """Tickets of a customer that this colleague may see."""
    return _panel(request, Ticket.objects.visible_to(request.user).filter(customer=customer))


def contact_tickets(request: Any, contact: Contact) -> Panel | None:
    """Tickets a contact takes part in that this colleague may see."""
    mine = contact.participations.values("ticket_id")
    return _panel(request, Ticket.objects.visible_to(request.user).filter(pk__in=mine))


register_panel("customer", 30, customer_tickets)
register_panel("contact", 30, contact_tickets)

__all__: list[Any] = ["TicketViewSet", "ticket_url"]
