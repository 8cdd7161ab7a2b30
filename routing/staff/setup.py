"""Screens of queues, promises and keyword sets."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.forms import BaseModelForm
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.ui.tables import Column

from core.staff.forms import RecordForm, Section
from core.staff.viewsets import RecordViewSet
from routing import services
from routing.models import Queue, SLAPolicy
from routing.staff.columns import QueueColumn, active_column


class QueueForm(RecordForm):
    """A queue and its people."""

    people: forms.ModelMultipleChoiceField[Any] = forms.ModelMultipleChoiceField(
        label=gettext_lazy("People"),
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("They see the queue’s tickets, and automatic assignment gives tickets to them."),
    )
    sections: ClassVar = (
        Section(gettext_lazy("Queue"), ("name", "colour", "active", "position")),
        Section(gettext_lazy("Time"), ("hours", "sla"), gettext_lazy("When it is worked, and what is promised.")),
        Section(gettext_lazy("Work"), ("strategy", "people")),
    )

    class Meta:
        model = Queue
        fields = ("name", "colour", "active", "position", "hours", "sla", "strategy")
        widgets: ClassVar = {"colour": forms.TextInput(attrs={"type": "color"})}
        help_texts: ClassVar = {
            "position": gettext_lazy("Lower numbers come first in lists."),
            "strategy": gettext_lazy("Who gets a new ticket of this queue."),
            "active": gettext_lazy("A queue that is not in use keeps its tickets."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hours"].empty_label = _("Always open")
        self.fields["sla"].empty_label = _("No promise")
        colleagues = get_user_model().objects.filter(is_staff=True, is_active=True)
        self.fields["people"].queryset = colleagues
        if self.instance.pk:
            self.fields["people"].initial = list(self.instance.members.values_list("user_id", flat=True))

    def clean(self) -> dict[str, Any]:
        """Somebody must be there to be given tickets."""
        data = super().clean() or self.cleaned_data
        if data.get("strategy") not in (None, Queue.Strategy.MANUAL) and not data.get("people"):
            self.add_error("people", _("Tickets can be assigned only when somebody works the queue."))
        return data


def save_queue(form: QueueForm, by: Any) -> Queue:
    """The queue, then its people."""
    queue = form.save()
    services.set_members(queue, form.cleaned_data["people"])
    if {"sla", "hours"} & set(form.changed_data):
        services.promises_changed(queue)
    return queue


def _count_people(queue: Queue) -> str:
    count = queue.people_count  # type: ignore[attr-defined]
    return ngettext("%(count)d person", "%(count)d people", count) % {"count": count}


class QueueViewSet(RecordViewSet):
    """Lines of work."""

    name = "routing_queues"
    url_prefix = "queues"
    model = Queue
    icon = "g-list"
    menu_label = gettext_lazy("Queues")
    menu_name = "queues"
    list_display: ClassVar = [
        QueueColumn("name", label=gettext_lazy("Name"), sort_key="name"),
        Column("people", label=gettext_lazy("People"), accessor=_count_people),
        Column("strategy", label=gettext_lazy("Assignment"), accessor="get_strategy_display"),
        Column("hours", label=gettext_lazy("Business hours"), accessor=lambda q: q.hours or _("Always open")),
        Column("sla", label=gettext_lazy("SLA policy"), accessor=lambda q: q.sla or "–"),
        active_column(),
    ]
    search_fields: ClassVar = ["name"]
    ordering: ClassVar = ["position", "name"]
    select_related = ("hours", "sla")
    save_service = staticmethod(save_queue)

    def rows(self, user: Any) -> QuerySet[Queue]:
        """All queues, with the number of their people."""
        return super().rows(user).annotate(people_count=Count("members"))

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The same for new and known queues."""
        return QueueForm


class DurationWidget(forms.MultiWidget):
    """An amount and its unit."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        units = [("1", gettext_lazy("minutes")), ("60", gettext_lazy("hours"))]
        super().__init__([forms.NumberInput(attrs={"min": 1}), forms.Select(choices=units)], attrs)

    def decompress(self, value: Any) -> list[Any]:
        """Minutes → amount and unit, whole hours as hours."""
        if not value:
            return [None, "60"]
        minutes = int(value)
        return [minutes // 60, "60"] if minutes % 60 == 0 else [minutes, "1"]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Both side by side."""
        amount, unit = value if isinstance(value, list) else self.decompress(value)
        shared = {key: said for key, said in (attrs or {}).items() if key not in ("id", "class")}
        place = (attrs or {}).get("id", f"id_{name}")
        number = {**shared, "id": f"{place}_0", "class": "g-input"}
        choice = {**shared, "id": f"{place}_1", "class": "g-select", "aria-label": _("Unit")}
        return format_html(
            '<div class="r-duration">{}{}</div>',
            self.widgets[0].render(f"{name}_0", amount, number, renderer),
            self.widgets[1].render(f"{name}_1", unit, choice, renderer),
        )

    def id_for_label(self, id_: str) -> str:
        """The amount."""
        return f"{id_}_0" if id_ else id_


class DurationField(forms.MultiValueField):
    """Minutes of business time, entered as minutes or hours; empty is None."""

    widget = DurationWidget

    def __init__(self, **kwargs: Any) -> None:
        amount = forms.IntegerField(min_value=1, max_value=525_600, required=False)
        unit = forms.ChoiceField(choices=[("1", ""), ("60", "")], required=False)
        super().__init__((amount, unit), require_all_fields=False, required=False, **kwargs)

    def compress(self, data_list: list[Any]) -> int | None:
        """Amount × unit. Raises ValidationError beyond a year of minutes."""
        if not data_list or data_list[0] is None:
            return None
        minutes = int(data_list[0]) * int(data_list[1] or 1)
        if minutes > 525_600:
            raise ValidationError(_("A promise can be a year of minutes (525,600) at most."))
        return minutes


class SLAForm(RecordForm):
    """What is promised."""

    first_answer = DurationField(
        label=gettext_lazy("First answer within"), help_text=gettext_lazy("From the opening of the ticket.")
    )
    next_answer = DurationField(
        label=gettext_lazy("Every further answer within"),
        help_text=gettext_lazy("From the first message that nobody has answered."),
    )
    solution = DurationField(
        label=gettext_lazy("Solution within"),
        help_text=gettext_lazy("From the opening of the ticket, without the time in which we wait for the customer."),
    )
    sections: ClassVar = (
        Section(gettext_lazy("Policy"), ("name", "hours")),
        Section(
            gettext_lazy("Promises"),
            ("first_answer", "next_answer", "solution"),
            gettext_lazy("Counted in business hours. Leave empty what you do not promise."),
        ),
        Section(gettext_lazy("Warning"), ("warn_percent",)),
    )

    class Meta:
        model = SLAPolicy
        fields = ("name", "hours", "first_answer", "next_answer", "solution", "warn_percent")
        help_texts: ClassVar = {
            "hours": gettext_lazy("Empty: those of the ticket’s queue."),
            "warn_percent": gettext_lazy(
                "Rules on “A promised time is near or missed” run then, and again when it is missed."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hours"].empty_label = _("Those of the queue")

    def clean(self) -> dict[str, Any]:
        """At least one promise."""
        data = super().clean() or self.cleaned_data
        if not self.errors and not any(data.get(name) for name in ("first_answer", "next_answer", "solution")):
            raise ValidationError(_("Promise something: a first answer, every further answer or a solution."))
        return data


def save_policy(form: SLAForm, by: Any) -> SLAPolicy:
    """The policy; open tickets are promised by it as it is now."""
    policy = form.save()
    services.promises_changed(policy)
    return policy


def delete_policy(policy: SLAPolicy, by: Any) -> None:
    """Its queues promise nothing any more."""
    services.promises_changed(policy)
    policy.delete()


def duration(minutes: int | None) -> str:
    """Minutes in words, in the largest unit that fits."""
    if not minutes:
        return "–"
    if minutes % 60 == 0:
        return ngettext("%(count)d hour", "%(count)d hours", minutes // 60) % {"count": minutes // 60}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


class SLAViewSet(RecordViewSet):
    """Promises."""

    name = "routing_sla"
    url_prefix = "sla"
    model = SLAPolicy
    icon = "g-clock"
    menu_label = gettext_lazy("SLA policies")
    menu_name = "sla"
    list_display: ClassVar = [
        "name",
        Column("first_answer", label=gettext_lazy("First answer"), accessor=lambda p: duration(p.first_answer)),
        Column("next_answer", label=gettext_lazy("Further answers"), accessor=lambda p: duration(p.next_answer)),
        Column("solution", label=gettext_lazy("Solution"), accessor=lambda p: duration(p.solution)),
        Column("hours", label=gettext_lazy("Business hours"), accessor=lambda p: p.hours or _("Those of the queue")),
    ]
    search_fields: ClassVar = ["name"]
    ordering: ClassVar = ["name"]
    select_related = ("hours",)
    save_service = staticmethod(save_policy)
    delete_service = staticmethod(delete_policy)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The same for new and known policies."""
        return SLAForm
