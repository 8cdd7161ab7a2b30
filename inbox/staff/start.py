"""The start page of the shell: agents go on to their inbox, others see what needs somebody."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.staff.views import StaffView
from crm.organisation import access
from crm.planning import queries as planning
from crm.service.models import Ticket
from inbox.channels.registry import adapters
from inbox.models import Channel, Delivery, RawMessage
from routing.models import Queue


class StartView(StaffView):
    """Numbers that somebody should act on, and how the channels do."""

    permissions = ()
    template_name = "inbox/staff/start.html"
    page_title = gettext_lazy("Start")

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """This is where they all begin."""
        return [{"url": "", "label": _("Start")}]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page, or the inbox for whoever does nothing else."""
        if access.works_tickets(self.request.user) and not access.sees_all_tickets(self.request.user):
            return redirect("inbox:list")
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Figures and channels, as far as the reader may see them."""
        user = self.request.user
        return super().get_context_data(
            name=user.get_short_name(),
            figures=figures(user),
            channels=Channel.objects.order_by("name") if user.has_perm("inbox.view_channel") else [],
            first_steps=first_steps(user),
            senders=[each.kind for each in adapters() if "send" in each.can],
            works=access.works_tickets(user),
            **kwargs,
        )


def first_steps(user: Any) -> list[dict[str, str]]:
    """What is to be done before a message can come in: a queue that it waits in, and a channel; empty afterwards."""
    if not user.has_perm("inbox.add_channel") or Channel.objects.exists():
        return []
    steps = [{"url": f"{reverse('channels:add')}?kind=email", "label": _("Connect a mailbox")}]
    if not Queue.objects.exists():
        steps.insert(0, {"url": reverse("routing_queues:add"), "label": _("Make a queue")})
    return steps


def due(user: Any) -> list[dict[str, Any]]:
    """His tasks and appointments of today."""
    if not user.has_perm("planning.view_task"):
        return []
    late, today = planning.due_today(user)
    lists = reverse("my_tasks:index")
    return [
        {"label": _("Overdue tasks"), "number": late, "url": lists, "alarm": True},
        {"label": _("Tasks due today"), "number": today, "url": lists},
        {
            "label": _("Appointments today"),
            "number": planning.appointments_today(user),
            "url": reverse("appointments:index"),
        },
    ]


def figures(user: Any) -> list[dict[str, Any]]:
    """What waits for somebody: label, number, where it leads, whether it is alarming."""
    found: list[dict[str, Any]] = due(user)
    if access.works_tickets(user):
        tickets = Ticket.objects.visible_to(user)
        lists = reverse("tickets:index")
        working = tickets.filter(status__in=Ticket.WORKING)
        found += [
            {"label": _("Open tickets"), "number": working.count(), "url": f"{lists}?status=new&status=open"},
            {
                "label": _("Unassigned tickets"),
                "number": working.filter(assignee=None).count(),
                "url": f"{lists}?status=new&status=open",
            },
        ]
    if user.has_perm("inbox.view_rawmessage"):
        states = dict(
            RawMessage.objects.filter(state__in=[RawMessage.State.STORED, RawMessage.State.DEAD])
            .values_list("state")
            .annotate(Count("id"))
            .order_by()
        )
        page = reverse("journal:index")
        found += [
            {"label": _("Messages waiting"), "number": states.get("stored", 0), "url": f"{page}?state=stored"},
            {"label": _("In quarantine"), "number": states.get("dead", 0), "url": f"{page}?state=dead", "alarm": True},
        ]
    if user.has_perm("inbox.view_delivery"):
        states = dict(
            Delivery.objects.filter(state__in=[Delivery.State.FAILED, Delivery.State.UNCERTAIN])
            .values_list("state")
            .annotate(Count("id"))
            .order_by()
        )
        page = reverse("deliveries:index")
        found += [
            {
                "label": _("Failed deliveries"),
                "number": states.get("failed", 0),
                "url": f"{page}?state=failed",
                "alarm": True,
            },
            {
                "label": _("Unclear deliveries"),
                "number": states.get("uncertain", 0),
                "url": f"{page}?state=uncertain",
                "alarm": True,
            },
        ]
    return found
