"""Screens of contacts: the person, how he is reached, and two contacts found to be one person."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet, BaseModelForm, inlineformset_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column

from core.staff import filters
from core.staff.choosing import Picker
from core.staff.columns import BadgesColumn, LinkColumn, MomentColumn
from core.staff.forms import RowForm, Rows, Section
from core.staff.panels import Panel, panels_of, register_panel
from core.staff.views import StaffRequired, StaffView
from core.staff.viewsets import RecordList, RecordViewSet
from core.telephone import spaced
from core.templatetags.guichet import language_name
from crm.customers import consent, identity
from crm.customers.models import Contact, ContactLink, ContactPoint, Customer, RefusedNumber, Tag
from crm.customers.staff import TaggedForm, TagsField, customer_picker
from crm.customers.staff_consent import CallsView
from crm.customers.timeline import visible_to
from crm.organisation.profile import time_zones


class ContactPicker(Picker):
    """Picks a contact in a form."""

    name = "contact_picker"
    url_prefix = "pick/contact"
    model = Contact
    search_fields = ("name", "points__value", "customer__name")
    prefetch_related = ("points",)

    def hint(self, row: Contact) -> str:
        """The address."""
        return row.address if row.name else ""


contact_picker = ContactPicker()


class PointForm(RowForm):
    """One address, brought to its one spelling."""

    class Meta:
        model = ContactPoint
        fields = ("kind", "value")

    def clean(self) -> dict[str, Any]:
        """Normalise; say whose address it is when it is taken."""
        data = super().clean() or self.cleaned_data
        kind, value = data.get("kind"), data.get("value")
        if kind and value:
            try:
                data["value"] = identity.normalise(kind, value)
            except identity.AddressInvalid as fault:
                self.add_error("value", str(fault))
                return data
            taken = ContactPoint.objects.filter(kind=kind, value=data["value"]).exclude(pk=self.instance.pk)
            if owner := taken.select_related("contact").first():
                said = _("This address belongs to %(contact)s. Link the two contacts if they are one person.")
                self.add_error("value", said % {"contact": owner.contact})
        return data

    def validate_unique(self) -> None:
        """Done by `clean`, in better words."""


class PointFormSet(BaseInlineFormSet):
    """The addresses of one contact; the same one twice is said here, not by the database."""

    def clean(self) -> None:
        """Refuse doubles, in better words than Django's."""
        seen: set[tuple[str, str]] = set()
        for form in self.forms:
            data = getattr(form, "cleaned_data", {})
            if not data.get("value") or data.get("DELETE"):
                continue
            if (point := (data["kind"], data["value"])) in seen:
                raise ValidationError(_("The same address stands here twice."))
            seen.add(point)


Points = inlineformset_factory(Contact, ContactPoint, form=PointForm, formset=PointFormSet, extra=1, max_num=30)


class ContactForm(TaggedForm):
    """One person."""

    tags = TagsField()
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=time_zones, required=False)
    sections: ClassVar = (
        Section(gettext_lazy("Person"), ("name", "title", "customer", "tags")),
        Section(gettext_lazy("Language and time"), ("language", "time_zone")),
        Section(gettext_lazy("Notes"), ("notes",), gettext_lazy("Customers never see them.")),
    )
    rows: ClassVar = (Rows("points", gettext_lazy("Reached at"), Points, gettext_lazy("Add an address")),)

    class Meta:
        model = Contact
        fields = ("name", "title", "customer", "language", "time_zone", "notes")
        widgets: ClassVar = {
            "customer": customer_picker.widget(),
            "notes": forms.Textarea(attrs={"rows": 5}),
        }

    def clean(self) -> dict[str, Any]:
        """A contact without name and address could never be found again."""
        data = super().clean() or self.cleaned_data
        given = any(self.data.get(f"points-{number}-value") for number in range(Points.max_num))
        if not data.get("name") and not given:
            self.add_error("name", _("Give a name or an address."))
        return data


class ContactFilter(filters.WagtailFilterSet):
    """Contacts by language and tag."""

    tags = filters.records("tags", gettext_lazy("Tags"), lambda _request: Tag.objects.all(), distinct=True)
    level = filters.choices("customer__level", gettext_lazy("Customer's level"), Customer.Level.choices)

    class Meta:
        model = Contact
        fields = ()


class LinkForm(forms.Form):
    """The other contact that is the same person."""

    other = forms.ModelChoiceField(
        label=gettext_lazy("Is the same person as"),
        queryset=Contact.objects.none(),
        widget=contact_picker.widget(),
    )

    def __init__(self, *args: Any, contact: Contact, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["other"].queryset = Contact.objects.visible_to(user).filter(merged_into=None).exclude(pk=contact.pk)  # type: ignore[attr-defined]


class ContactPage(StaffView):
    """A contact: facts, addresses, tickets, what happened."""

    permissions = ("customers.view_contact",)
    template_name = "customers/staff/record.html"
    header_icon = "g-user"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The record and its panels."""
        pk = self.kwargs["pk"]
        self.record = self.visible_or_404(Contact.objects.select_related("customer", "merged_into").model, pk=pk)
        panels = panels_of("contact", self.request, self.record)
        may_change = self.request.user.has_perm("customers.change_contact")
        return super().get_context_data(
            record=self.record,
            subtitle=[self.record.title] if self.record.title else [],
            panels=[panel.render(self.request) for panel in panels if not panel.aside],
            asides=[panel.render(self.request) for panel in panels if panel.aside],
            edit_url=reverse("contacts:edit", args=[pk]) if may_change else None,
            merged_into=self.record.merged_into,
            media=LinkForm(contact=self.record, user=self.request.user).media,
            **kwargs,
        )

    def get_trail(self) -> list[dict[str, Any]]:
        """The list, and the customer."""
        trail = [{"url": reverse("contacts:index"), "label": _("Contacts")}]
        if self.record.customer and self.request.user.has_perm("customers.view_customer"):
            customer = self.record.customer
            trail.append({"url": reverse("customers:record", args=[customer.pk]), "label": str(customer)})
        return trail

    def get_page_title(self) -> str:
        """The name."""
        return str(self.record)


class LinkView(StaffRequired):
    """Makes two contacts one person."""

    permissions = ("customers.change_contact",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Link `other` into this one."""
        contact = self.visible_or_404(Contact, pk=pk)
        form = LinkForm(request.POST, contact=contact, user=request.user)
        if not form.is_valid():
            messages.error(request, _("Choose the other contact first."))
        else:
            try:
                identity.link(contact, form.cleaned_data["other"], by=self.request.user)
                messages.success(request, _("The two contacts are one person now. You can undo this below."))
            except identity.LinkImpossible as fault:
                messages.error(request, str(fault))
        return redirect("contacts:record", pk)


class UnlinkView(StaffRequired):
    """Undoes such a link."""

    permissions = ("customers.change_contact",)

    def post(self, request: HttpRequest, pk: int, link: int) -> HttpResponse:
        """Only a link of this contact."""
        contact = self.visible_or_404(Contact, pk=pk)
        record = self.visible_or_404(ContactLink, pk=link, kept=contact)
        identity.unlink(record, by=self.request.user)
        messages.success(request, _("The two contacts are apart again."))
        return redirect("contacts:record", pk)


class ContactList(RecordList):
    """The list: one row a person."""

    def get_base_queryset(self) -> QuerySet[Contact]:
        """Without those that were found to be somebody of the list."""
        return super().get_base_queryset().filter(merged_into=None)


def points_of(contact: Contact) -> list[str]:
    """All addresses, numbers as people write them."""
    return [spaced(each.value) if each.kind in ContactPoint.NUMBERS else each.value for each in contact.points.all()]


class ContactViewSet(RecordViewSet):
    """The people we talk to."""

    name = "contacts"
    url_prefix = "contacts"
    audited = False
    model = Contact
    icon = "g-user"
    menu_name = "contacts"
    index_view_class = ContactList
    list_display: ClassVar = [
        LinkColumn(
            "name",
            label=gettext_lazy("Name"),
            accessor=str,
            sort_key="name",
            classname="title",
            note=lambda contact: contact.title,
            url=lambda contact: reverse("contacts:record", args=[contact.pk]),
        ),
        BadgesColumn("points", label=gettext_lazy("Reached at"), accessor=points_of),
        LinkColumn(
            "customer",
            label=gettext_lazy("Customer"),
            sort_key="customer__name",
            url=lambda contact: (
                reverse("customers:record", args=[contact.customer_id]) if contact.customer_id else None
            ),
        ),
        Column(
            "language",
            label=gettext_lazy("Language"),
            sort_key="language",
            accessor=lambda contact: language_name(contact.language),
        ),
        MomentColumn("created_at", label=pgettext_lazy("in our books", "Since"), sort_key="created_at"),
    ]
    list_export: ClassVar = ["name", "address", "title", "customer", "language", "time_zone", "created_at"]
    export_headings: ClassVar = {"address": gettext_lazy("Address")}
    export_filename = "contacts"
    search_fields: ClassVar = ["name", "points__value", "customer__name"]
    filterset_class = ContactFilter
    ordering = "name"
    select_related = ("customer",)
    prefetch_related = ("points",)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return ContactForm

    def url_after_save(self, record: Model) -> str:
        """The record's page."""
        return reverse("contacts:record", args=[record.pk])

    def get_urlpatterns(self) -> list[URLPattern]:
        """The page of panels and the two deeds beside the generic ones."""
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/", ContactPage.as_view(), name="record"),
            path("<int:pk>/calls/<int:point>/<str:deed>/", CallsView.as_view(), name="calls"),
            path("<int:pk>/link/", LinkView.as_view(), name="link"),
            path("<int:pk>/unlink/<int:link>/", UnlinkView.as_view(), name="unlink"),
        ]


# Panels of a contact's page


def facts(request: Any, contact: Contact) -> Panel:
    """How the person is reached, whether he may be called, and what is known."""
    points = list(contact.points.all())
    phones = [point.value for point in points if point.kind in ContactPoint.NUMBERS]
    refused = consent.refusals(phones) if phones else {}
    marked = set(RefusedNumber.objects.filter(number__in=refused).values_list("number", flat=True)) if refused else ()
    return Panel(
        _("Facts"),
        "customers/staff/panel_contact_facts.html",
        {
            "contact": contact,
            "points": [(p, p.value in phones, refused.get(p.value, ""), p.value in marked) for p in points],
        },
        aside=True,
    )


def links(request: Any, contact: Contact) -> Panel | None:
    """Other contacts found to be this person, and the form to add one."""
    if contact.merged_into_id or not request.user.has_perm("customers.change_contact"):
        return None
    found = contact.links_in.filter(undone_at=None).select_related("merged", "by")
    form = LinkForm(contact=contact, user=request.user)
    return Panel(
        _("One person, two contacts"),
        "customers/staff/panel_links.html",
        {"contact": contact, "links": found, "form": form},
        aside=True,
    )


def timeline(request: Any, contact: Contact) -> Panel:
    """What happened."""
    shown = visible_to(request.user, contact.timeline.select_related("actor"), 40)
    return Panel(_("Timeline"), "customers/staff/panel_timeline.html", {"entries": shown})


register_panel("contact", 10, facts)
register_panel("contact", 20, links)
register_panel("contact", 90, timeline)
