"""Screens of appointments: the list, the form, the appointment itself, and panels on people's pages."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.forms import BaseModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages

from core.staff import filters
from core.staff.columns import BadgesColumn, LinkColumn, MomentColumn, StatusColumn
from core.staff.forms import MomentField, Section
from core.staff.panels import Panel, register_panel
from core.staff.views import StaffRequired, StaffView
from core.staff.viewsets import RecordAdd, RecordEdit, RecordViewSet
from crm.customers import timeline
from crm.customers.models import Contact, Customer
from crm.customers.staff import customer_picker
from crm.customers.staff_contacts import contact_picker
from crm.planning import services
from crm.planning.models import Appointment
from crm.planning.screens import FromAddress, PlanForm, RefusalsShown, colleagues, history, way_back
from routing.models import Queue


class AppointmentForm(PlanForm):
    """One appointment."""

    starts_at = MomentField(label=gettext_lazy("Begins"))
    ends_at = MomentField(label=gettext_lazy("Ends"), required=False, help_text=gettext_lazy("Empty: half an hour."))
    people = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Colleagues"),
        queryset=colleagues(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    sections: ClassVar = (
        Section(gettext_lazy("Appointment"), ("topic", "kind", "starts_at", "ends_at", "place", "note")),
        Section(gettext_lazy("With whom"), ("contact", "customer", "phone")),
        Section(
            gettext_lazy("Who keeps it"),
            ("people", "queue"),
            gettext_lazy("People, or a queue whose people keep it; one of them at least."),
        ),
    )

    class Meta:
        model = Appointment
        fields = ("topic", "kind", "place", "note", "contact", "customer", "phone", "queue")
        widgets: ClassVar = {
            "contact": contact_picker.widget(),
            "customer": customer_picker.widget(),
            "note": forms.Textarea(attrs={"rows": 4}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["starts_at"].initial = self.instance.starts_at
        self.fields["ends_at"].initial = self.instance.ends_at
        if self.instance.pk:
            self.fields["people"].initial = list(self.instance.people.values_list("pk", flat=True))
        elif self.for_user:
            self.fields["people"].initial = [self.for_user.pk]

    def clean(self) -> dict[str, Any]:
        """In the right order, and somebody's."""
        data = super().clean() or self.cleaned_data
        begin, end = data.get("starts_at"), data.get("ends_at")
        if begin and end and end <= begin:
            self.add_error("ends_at", _("An appointment ends after it begins."))
        if not data.get("people") and not data.get("queue") and not self.errors:
            self.add_error("people", _("Say whose appointment it is: a person's or a queue's."))
        return data


class AppointmentAdd(FromAddress, RefusalsShown, RecordAdd):
    """The form of a new appointment."""


class AppointmentEdit(RefusalsShown, RecordEdit):
    """The form of an appointment."""


class AppointmentFilter(filters.WagtailFilterSet):
    """Appointments by where they stand; each takes several values."""

    state = filters.choices("state", gettext_lazy("State"), Appointment.State.choices)
    kind = filters.choices("kind", gettext_lazy("Kind"), Appointment.Kind.choices)
    people = filters.records("people", gettext_lazy("Colleagues"), lambda _request: colleagues(), distinct=True)
    queue = filters.records("queue", gettext_lazy("Queue"), lambda _request: Queue.objects.all())
    source = filters.choices("source", gettext_lazy("Arranged"), Appointment.Source.choices)
    starts_at = filters.days("starts_at", gettext_lazy("Begins"))

    class Meta:
        model = Appointment
        fields = ()


class AppointmentPage(StaffView):
    """One appointment: when, with whom, what can be done with it, what happened."""

    permissions = ("planning.view_appointment",)
    template_name = "planning/staff/appointment.html"
    header_icon = "g-calendar"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The appointment and its history."""
        self.record = self.visible_or_404(Appointment, pk=self.kwargs["pk"])
        user = self.request.user
        return super().get_context_data(
            appointment=self.record,
            people=self.record.people.all(),
            link=timeline.links(user, [self.record.reference]).get(self.record.reference),
            events=history(self.record.events.select_related("actor"), Appointment),
            begun=self.record.starts_at <= timezone.now(),
            may_change=user.has_perm("planning.change_appointment"),
            here=self.request.get_full_path(),
            **kwargs,
        )

    def get_trail(self) -> list[dict[str, Any]]:
        """The list."""
        return [{"url": reverse("appointments:index"), "label": _("Appointments")}]

    def get_page_title(self) -> str:
        """The topic."""
        return str(self.record)


class AppointmentDeed(StaffRequired):
    """What is done to an appointment with one click."""

    permissions = ("planning.change_appointment",)

    def post(self, request: HttpRequest, pk: int, deed: str) -> HttpResponse:
        """Do it, and go back to where the click was. Raises Http404 for an unknown deed."""
        row, by = self.visible_or_404(Appointment, pk=pk), self.request.user
        words = request.POST.get("outcome", "").strip()[:5_000]
        try:
            match deed:
                case "kept":
                    services.keep(row, by=by, outcome=words)
                case "missed":
                    services.miss(row, by=by, why=words)
                case "cancel":
                    services.cancel(row, by=by, why=words)
                case _:
                    raise Http404
        except services.NotPossible as refusal:
            messages.error(request, str(refusal))
        return redirect(way_back(request, reverse("appointments:record", args=[pk])))


class AppointmentViewSet(RecordViewSet):
    """Appointments."""

    name = "appointments"
    url_prefix = "appointments"
    model = Appointment
    icon = "g-calendar"
    menu_name = "appointments"
    menu_order = 220
    add_to_admin_menu = True
    add_view_class = AppointmentAdd
    edit_view_class = AppointmentEdit
    delete_enabled = False
    list_display: ClassVar = [
        MomentColumn("starts_at", full=True, label=gettext_lazy("Begins"), sort_key="starts_at"),
        LinkColumn(
            "topic",
            label=gettext_lazy("Topic"),
            classname="title",
            sort_key="topic",
            note=lambda row: str(row.contact or row.customer or ""),
            url=lambda row: reverse("appointments:record", args=[row.pk]),
        ),
        "kind",
        StatusColumn("state", label=gettext_lazy("State"), sort_key="state"),
        BadgesColumn(
            "people", label=gettext_lazy("Colleagues"), accessor=lambda row: [str(user) for user in row.people.all()]
        ),
        "queue",
        "place",
    ]
    list_export: ClassVar = [
        "topic",
        "get_kind_display",
        "get_state_display",
        "starts_at",
        "ends_at",
        "contact",
        "customer",
        "phone",
        "place",
        "queue",
        "outcome",
    ]
    export_headings: ClassVar = {
        "get_kind_display": gettext_lazy("Kind"),
        "get_state_display": gettext_lazy("State"),
    }
    export_filename = "appointments"
    search_fields: ClassVar = ["topic", "place", "contact__name", "customer__name"]
    filterset_class = AppointmentFilter
    ordering = "-starts_at"
    select_related = ("queue", "contact", "customer")
    prefetch_related = ("people", "contact__points")

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return AppointmentForm

    def saved(self, form: BaseModelForm[Any], by: Any) -> Model:
        """By the service."""
        if form.instance.pk:
            return services.edit_appointment(form.instance, form.cleaned_data, by=by)
        return services.arrange(services.NewAppointment(**form.cleaned_data), by=by)

    def url_after_save(self, record: Model) -> str:
        """The appointment's page."""
        return reverse("appointments:record", args=[record.pk])

    def get_urlpatterns(self) -> list[URLPattern]:
        """The page and the deeds beside the generic views."""
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/", AppointmentPage.as_view(), name="record"),
            path("<int:pk>/<str:deed>/", AppointmentDeed.as_view(), name="do"),
        ]


# Panels


def _panel(request: Any, rows: QuerySet[Appointment], add: str) -> Panel | None:
    user = request.user
    if not user.has_perm("planning.view_appointment"):
        return None
    coming = rows.filter(state=Appointment.State.AGREED).select_related("contact", "queue")
    found = coming.prefetch_related("people", "contact__points").order_by("starts_at", "pk")[:12]
    return Panel(
        _("Appointments"),
        "planning/staff/panel_appointments.html",
        {
            "appointments": found,
            "add_url": f"{reverse('appointments:add')}{add}" if user.has_perm("planning.add_appointment") else "",
        },
    )


def contact_appointments(request: Any, contact: Contact) -> Panel | None:
    """Appointments with a contact that this colleague may see."""
    mine = Appointment.objects.visible_to(request.user).filter(contact=contact)
    return _panel(request, mine, f"?contact={contact.pk}")


def customer_appointments(request: Any, customer: Customer) -> Panel | None:
    """Appointments with a customer that this colleague may see."""
    return _panel(request, Appointment.objects.visible_to(request.user).filter(customer=customer), "")


register_panel("contact", 50, contact_appointments)
register_panel("customer", 50, customer_appointments)
