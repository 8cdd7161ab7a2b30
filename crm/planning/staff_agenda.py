"""The list that one works from, the task itself, what is done with one click, and panels on people's pages."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.admin.viewsets.base import ViewSet

from core.staff.forms import MomentField
from core.staff.panels import Panel, register_panel
from core.staff.views import StaffRequired, StaffView
from crm.customers.models import Contact, Customer
from crm.organisation import access
from crm.planning import queries, services
from crm.planning.models import Task
from crm.planning.screens import history, way_back

MORNING = time(9)
"""When a day of work begins for a task that is put off."""
PUT_OFF = {"tomorrow": 1, "days": 3, "week": 7}
"""Days from today."""


class MyTasks(StaffView):
    """What is to be done: overdue, today, later."""

    permissions = ("planning.view_task",)
    template_name = "planning/staff/my_tasks.html"
    page_title = gettext_lazy("Tasks")
    header_icon = "g-check"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The agenda of the chosen tab."""
        user = self.request.user
        tabs = [
            (queries.MINE, _("Mine")),
            (queries.QUEUES, _("My queues")),
            (queries.ASKED, _("Asked of others")),
            *([(queries.ALL, _("Everybody's"))] if access.sees_all_tickets(user) else []),
        ]
        scope = self.request.GET.get("of", queries.MINE)
        scope = scope if scope in dict(tabs) else queries.MINE
        plan, numbers = queries.agenda(user, scope), queries.counts(user)
        sections = [
            ("overdue", _("Overdue"), plan.overdue),
            ("today", _("Today"), plan.today),
            ("later", _("Later"), plan.later),
            ("some-day", _("Without a date"), plan.some_day),
        ]
        return super().get_context_data(
            tabs=[(key, label, numbers[key], key == scope) for key, label in tabs],
            scope=scope,
            sections=[(key, label, tasks) for key, label, tasks in sections if tasks],
            finished=plan.finished,
            cut=plan.cut,
            named=scope != queries.MINE,
            put_off=put_off_words(),
            may_change=user.has_perm("planning.change_task"),
            may_add=user.has_perm("planning.add_task"),
            here=self.request.get_full_path(),
            **kwargs,
        )


class TaskPage(StaffView):
    """One task: what it says, what can be done with it, what happened."""

    permissions = ("planning.view_task",)
    template_name = "planning/staff/task.html"
    header_icon = "g-check"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The task and its history."""
        self.record = self.visible_or_404(Task, pk=self.kwargs["pk"])
        user = self.request.user
        queries.link(user, [self.record])
        return super().get_context_data(
            task=self.record,
            events=history(self.record.events.select_related("actor"), Task),
            may_change=user.has_perm("planning.change_task"),
            here=self.request.get_full_path(),
            **kwargs,
        )

    def get_trail(self) -> list[dict[str, Any]]:
        """The list."""
        return [{"url": reverse("my_tasks:index"), "label": _("Tasks")}]

    def get_page_title(self) -> str:
        """The title."""
        return str(self.record)


class TaskDeed(StaffRequired):
    """What is done to a task with one click."""

    permissions = ("planning.change_task",)

    def post(self, request: HttpRequest, pk: int, deed: str) -> HttpResponse:
        """Do it, and go back to where the click was. Raises Http404 for an unknown deed."""
        task, by = self.visible_or_404(Task, pk=pk), self.request.user
        words = request.POST.get("outcome", "").strip()[:5_000]
        try:
            match deed:
                case "done":
                    services.complete(task, by=by, outcome=words)
                case "drop":
                    services.drop(task, by=by, why=words)
                case "reopen":
                    services.reopen(task, by=by)
                case "take":
                    services.hand_over(task, by=by, assignee=by, queue=task.queue)
                case "tomorrow" | "days" | "week":
                    services.put_off(task, morning(PUT_OFF[deed]), by=by)
                case "until":
                    services.put_off(task, self._moment(), by=by)
                case _:
                    raise Http404
        except services.NotPossible as refusal:
            messages.error(request, str(refusal))
        return redirect(way_back(request, reverse("my_tasks:index")))

    def _moment(self) -> datetime:
        try:
            return MomentField().clean(self.request.POST.get("until", ""))
        except ValidationError as fault:
            raise services.NotPossible(_("Choose a day and a time.")) from fault


class MyTasksViewSet(ViewSet):
    """The working list at /desk/tasks/."""

    name = "my_tasks"
    url_prefix = "tasks"
    icon = "g-check"
    menu_name = "tasks"
    menu_label = gettext_lazy("Tasks")
    menu_order = 210
    add_to_admin_menu = True

    def get_menu_item(self, order: int | None = None) -> Any:
        """Only for whoever may see tasks."""
        item = super().get_menu_item(order)
        item.is_shown = lambda request: request.user.has_perm("planning.view_task")
        return item

    def get_urlpatterns(self) -> list[URLPattern]:
        """The list, the task, the deeds."""
        return [
            path("", MyTasks.as_view(), name="index"),
            path("<int:pk>/", TaskPage.as_view(), name="record"),
            path("<int:pk>/<str:deed>/", TaskDeed.as_view(), name="do"),
        ]


def put_off_words() -> list[tuple[str, str]]:
    """The deeds that put a task off, each with its words."""
    return [("tomorrow", _("Until tomorrow")), ("days", _("For three days")), ("week", _("For a week"))]


def morning(days: int) -> datetime:
    """The morning so many days from today, by the reader's clock."""
    day = timezone.localtime().date() + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, MORNING))


# Panels


def _panel(request: Any, rows: QuerySet[Task], of: str, add: str = "") -> Panel | None:
    user = request.user
    if not user.has_perm("planning.view_task"):
        return None
    tasks = list(queries.with_all(rows.filter(state=Task.State.OPEN))[:12])
    queries.link(user, tasks)
    return Panel(
        _("Tasks"),
        "planning/staff/panel_tasks.html",
        {
            "tasks": tasks,
            "of": of,
            "put_off": put_off_words(),
            "may_change": user.has_perm("planning.change_task"),
            "add_url": f"{reverse('tasks:add')}{add}" if user.has_perm("planning.add_task") else "",
            "here": request.get_full_path(),
        },
    )


def contact_tasks(request: Any, contact: Contact) -> Panel | None:
    """Open tasks about a contact that this colleague may see."""
    mine = Task.objects.visible_to(request.user).filter(contact=contact)
    return _panel(request, mine, "contact", f"?contact={contact.pk}")


def customer_tasks(request: Any, customer: Customer) -> Panel | None:
    """Open tasks about a customer that this colleague may see."""
    return _panel(request, Task.objects.visible_to(request.user).filter(customer=customer), "customer")


register_panel("contact", 40, contact_tasks)
register_panel("customer", 40, customer_tasks)
