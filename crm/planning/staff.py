"""Screens of tasks: the long list and the forms. What one works from is in `staff_agenda`."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import Model
from django.forms import BaseModelForm
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.staff import filters
from core.staff.columns import LinkColumn, MomentColumn, PersonColumn, PriorityColumn, StatusColumn
from core.staff.forms import MomentField, Section
from core.staff.viewsets import RecordAdd, RecordEdit, RecordViewSet
from crm.customers.staff import customer_picker
from crm.customers.staff_contacts import contact_picker
from crm.planning import services
from crm.planning.models import Task
from crm.planning.screens import FromAddress, PlanForm, RefusalsShown, colleagues
from routing.models import Queue


class TaskForm(PlanForm):
    """One task."""

    due_at = MomentField(label=gettext_lazy("Due"), required=False)
    sections: ClassVar = (
        Section(gettext_lazy("Task"), ("title", "kind", "priority", "due_at", "note")),
        Section(
            gettext_lazy("Who does it"),
            ("assignee", "queue"),
            gettext_lazy("A person, or a queue whose people take it; one of them at least."),
        ),
        Section(gettext_lazy("About"), ("contact", "customer", "phone")),
    )

    class Meta:
        model = Task
        fields = ("title", "kind", "priority", "note", "assignee", "queue", "contact", "customer", "phone")
        widgets: ClassVar = {
            "contact": contact_picker.widget(),
            "customer": customer_picker.widget(),
            "note": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts: ClassVar = {"phone": gettext_lazy("The number to call, when it is not the contact's first.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = colleagues()
        self.fields["due_at"].initial = self.instance.due_at
        if not self.instance.pk and self.for_user:
            self.fields["assignee"].initial = self.for_user.pk

    def clean(self) -> dict[str, Any]:
        """Somebody's."""
        data = super().clean() or self.cleaned_data
        if not data.get("assignee") and not data.get("queue") and not self.errors:
            self.add_error("assignee", _("Say whose task it is: a person's or a queue's."))
        return data


class TaskAdd(FromAddress, RefusalsShown, RecordAdd):
    """The form of a new task."""


class TaskEdit(RefusalsShown, RecordEdit):
    """The form of a task."""


class TaskFilter(filters.WagtailFilterSet):
    """Tasks by where they stand; each takes several values."""

    state = filters.choices("state", gettext_lazy("State"), Task.State.choices)
    kind = filters.choices("kind", gettext_lazy("Kind"), Task.Kind.choices)
    assignee = filters.records("assignee", gettext_lazy("Assignee"), lambda _request: colleagues())
    queue = filters.records("queue", gettext_lazy("Queue"), lambda _request: Queue.objects.all())
    due_at = filters.days("due_at", gettext_lazy("Due"))

    class Meta:
        model = Task
        fields = ()


class TaskViewSet(RecordViewSet):
    """The long list of tasks, with filters and export; and the forms."""

    name = "tasks"
    url_prefix = "tasks/all"
    model = Task
    icon = "g-check"
    add_view_class = TaskAdd
    edit_view_class = TaskEdit
    delete_enabled = False
    list_display: ClassVar = [
        LinkColumn(
            "title",
            label=gettext_lazy("Title"),
            classname="title",
            sort_key="title",
            note=lambda task: str(task.contact or task.customer or ""),
            url=lambda task: reverse("my_tasks:record", args=[task.pk]),
        ),
        StatusColumn("state", label=gettext_lazy("State"), sort_key="state"),
        PriorityColumn("priority", label=gettext_lazy("Priority"), sort_key="priority"),
        "kind",
        PersonColumn("assignee", label=gettext_lazy("Assignee")),
        "queue",
        MomentColumn("due_at", full=True, label=gettext_lazy("Due"), sort_key="due_at"),
    ]
    list_export: ClassVar = [
        "title",
        "get_kind_display",
        "get_state_display",
        "get_priority_display",
        "assignee",
        "queue",
        "contact",
        "customer",
        "phone",
        "due_at",
        "created_at",
        "finished_at",
        "outcome",
    ]
    export_headings: ClassVar = {
        "get_kind_display": gettext_lazy("Kind"),
        "get_state_display": gettext_lazy("State"),
        "get_priority_display": gettext_lazy("Priority"),
    }
    export_filename = "tasks"
    search_fields: ClassVar = ["title", "contact__name", "customer__name"]
    filterset_class = TaskFilter
    ordering = "-id"
    select_related = ("assignee", "queue", "contact", "customer")
    prefetch_related = ("contact__points",)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return TaskForm

    def saved(self, form: BaseModelForm[Any], by: Any) -> Model:
        """By the service."""
        if form.instance.pk:
            return services.edit_task(form.instance, form.cleaned_data, by=by)
        return services.open_task(services.NewTask(**form.cleaned_data), by=by)

    def url_after_save(self, record: Model) -> str:
        """The task's page."""
        return reverse("my_tasks:record", args=[record.pk])
