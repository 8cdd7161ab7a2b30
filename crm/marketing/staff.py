"""Screens of call lists: the list of them, the form, and the entries with their results."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import BaseModelForm
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from core.staff import filters
from core.staff.columns import LinkColumn, MomentColumn, PersonColumn, StatusColumn
from core.staff.forms import DayField, RecordForm, Section
from core.staff.viewsets import RecordViewSet
from core.telephone import spaced
from crm.marketing import services, staff_imports, staff_list
from crm.marketing.models import CallList, CallListEntry, CallScript, Outcome
from crm.organisation.roles import ADMINISTRATOR, AGENT, SUPERVISOR
from crm.planning.screens import colleagues

CALLERS = (ADMINISTRATOR, SUPERVISOR, AGENT)
"""Who comes to the page that a list is worked on."""


class CallListForm(RecordForm):
    """One call list."""

    starts_on = DayField(label=pgettext_lazy("first day", "From"), required=False)
    ends_on = DayField(label=pgettext_lazy("last day", "Until"), required=False)
    people = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Colleagues"),
        queryset=colleagues().filter(groups__name__in=CALLERS).distinct(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    sections: ClassVar = (
        Section(gettext_lazy("List"), ("name", "purpose", "script")),
        Section(
            gettext_lazy("Who calls"),
            ("people", "queue"),
            gettext_lazy("People, or a queue whose people call; one of them before it starts."),
        ),
        Section(
            gettext_lazy("When"),
            ("starts_on", "ends_on", "hours", "max_tries", "days_between"),
            gettext_lazy("Nobody is called outside these hours in their own time zone."),
        ),
    )

    class Meta:
        model = CallList
        fields = (
            "name",
            "purpose",
            "script",
            "queue",
            "hours",
            "starts_on",
            "ends_on",
            "max_tries",
            "days_between",
        )
        widgets: ClassVar = {"purpose": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = self.instance.script_id
        self.fields["script"].queryset = CallScript.objects.filter(active=True) | CallScript.objects.filter(pk=current)
        if self.instance.pk:
            self.fields["people"].initial = list(self.instance.people.values_list("pk", flat=True))

    def clean(self) -> dict[str, Any]:
        """In the right order."""
        data = super().clean() or self.cleaned_data
        if data.get("starts_on") and data.get("ends_on") and data["ends_on"] < data["starts_on"]:
            self.add_error("ends_on", ValidationError(_("It ends before it begins.")))
        return data


class CallListFilter(filters.WagtailFilterSet):
    """Call lists by where they stand."""

    state = filters.choices("state", gettext_lazy("State"), CallList.State.choices)

    class Meta:
        model = CallList
        fields = ()


class CallListViewSet(RecordViewSet):
    """Call lists."""

    name = "call_lists"
    url_prefix = "call-lists"
    model = CallList
    icon = "g-phone"
    menu_name = "call-lists"
    delete_enabled = False
    list_display: ClassVar = [
        LinkColumn(
            "name",
            label=gettext_lazy("Name"),
            classname="title",
            sort_key="name",
            note=lambda row: row.purpose[:80],
            url=lambda row: reverse("call_lists:record", args=[row.pk]),
        ),
        StatusColumn("state", label=gettext_lazy("State"), sort_key="state"),
        "script",
        "queue",
        "starts_on",
        "ends_on",
        MomentColumn("created_at", label=gettext_lazy("Made"), sort_key="created_at"),
    ]
    list_export: ClassVar = ["name", "get_state_display", "script", "queue", "starts_on", "ends_on", "created_at"]
    export_headings: ClassVar = {"get_state_display": gettext_lazy("State")}
    export_filename = "call-lists"
    search_fields: ClassVar = ["name", "purpose"]
    filterset_class = CallListFilter
    ordering = "-id"
    select_related = ("script", "queue")

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return CallListForm

    def saved(self, form: BaseModelForm[Any], by: Any) -> Model:
        """By the service."""
        return services.save_list(form.instance, by=by, people=form.cleaned_data["people"])

    def url_after_save(self, record: Model) -> str:
        """The list's page."""
        return reverse("call_lists:record", args=[record.pk])

    def get_urlpatterns(self) -> list[URLPattern]:
        """The page, its deeds and its imports beside the generic views."""
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/", staff_list.CallListPage.as_view(), name="record"),
            path("<int:pk>/state/<str:state>/", staff_list.StateView.as_view(), name="state"),
            path("<int:pk>/search/", staff_list.SearchView.as_view(), name="search"),
            path("<int:pk>/check-again/", staff_list.CheckAgainView.as_view(), name="check_again"),
            path("<int:pk>/import/", staff_imports.UploadView.as_view(), name="upload"),
            path("<int:pk>/import/<int:key>/", staff_imports.ImportPage.as_view(), name="import"),
            path("<int:pk>/import/<int:key>/confirm/", staff_imports.ConfirmView.as_view(), name="confirm"),
        ]


class EntryFilter(filters.WagtailFilterSet):
    """Entries by list, where they stand and how the last call ended."""

    call_list = filters.records(
        "call_list", gettext_lazy("Call list"), lambda request: CallList.objects.visible_to(request.user)
    )
    state = filters.choices("state", gettext_lazy("State"), CallListEntry.State.choices)
    outcome = filters.choices("outcome", gettext_lazy("Last outcome"), Outcome.choices)

    class Meta:
        model = CallListEntry
        fields = ()


class EntryViewSet(RecordViewSet):
    """Everybody on the call lists, with results and export."""

    name = "call_entries"
    url_prefix = "call-entries"
    model = CallListEntry
    icon = "g-list"
    menu_name = "call-entries"
    add_enabled = edit_enabled = delete_enabled = False
    list_display: ClassVar = [
        LinkColumn(
            "contact",
            label=gettext_lazy("Contact"),
            classname="title",
            note=lambda entry: f"{spaced(entry.number)} · {entry.call_list}",
            url=lambda entry: reverse("contacts:record", args=[entry.contact_id]),
        ),
        StatusColumn("state", label=gettext_lazy("State"), sort_key="state"),
        StatusColumn("outcome", label=gettext_lazy("Last outcome"), sort_key="outcome"),
        "tries",
        PersonColumn("claimed_by", label=gettext_lazy("Colleague")),
        MomentColumn("called_at", label=gettext_lazy("Last call"), sort_key="called_at"),
        MomentColumn("next_at", label=gettext_lazy("Next try"), sort_key="next_at"),
    ]
    list_export: ClassVar = [
        "call_list",
        "contact",
        "contact.customer",
        "number",
        "get_state_display",
        "get_outcome_display",
        "tries",
        "claimed_by",
        "called_at",
        "next_at",
        "note",
    ]
    export_headings: ClassVar = {
        "contact.customer": gettext_lazy("Customer"),
        "get_state_display": gettext_lazy("State"),
        "get_outcome_display": gettext_lazy("Last outcome"),
    }
    export_filename = "call-results"
    search_fields: ClassVar = ["number", "contact__name"]
    filterset_class = EntryFilter
    ordering = "-id"
    select_related = ("call_list", "contact__customer", "claimed_by")
    prefetch_related = ("contact__points",)
