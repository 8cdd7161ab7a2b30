"""Screens of customers, regions and tags; contacts have their own module."""

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
from core.staff.choosing import Picker
from core.staff.columns import LinkColumn, MomentColumn, PersonColumn, StatusColumn
from core.staff.forms import RecordForm, Section
from core.staff.panels import Panel, panels_of, register_panel
from core.staff.views import StaffView
from core.staff.viewsets import RecordViewSet
from crm.customers.models import Customer, Region, Tag, TimelineEntry
from crm.customers.timeline import visible_to
from crm.organisation.models import User


class CustomerPicker(Picker):
    """Picks a customer in a form."""

    name = "customer_picker"
    url_prefix = "pick/customer"
    model = Customer
    search_fields = ("name",)

    def hint(self, row: Customer) -> str:
        """The level."""
        return str(row.get_level_display())


customer_picker = CustomerPicker()


def no_circle(form: forms.ModelForm, parent: Any) -> Any:
    """`parent`, unless the record would become part of itself. Raises ValidationError."""
    above = parent
    while above is not None:
        if above.pk == form.instance.pk:
            raise ValidationError(_("This would make the record part of itself."))
        above = above.parent
    return parent


class TagsField(forms.CharField):
    """Tags as words with commas between; `clean` gives the words, `keep` makes them tags."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Tags"),
            required=False,
            max_length=1000,
            help_text=gettext_lazy("Separate words with commas."),
        )

    def clean(self, value: Any) -> list[str]:
        """The words, each once whatever its case. Raises ValidationError for one that is too long."""
        text = super().clean(value).replace("，", ",").replace("、", ",")
        words = {word.casefold(): word for word in (" ".join(part.split()) for part in text.split(",")) if word}
        longest = Tag._meta.get_field("name").max_length or 60
        if any(len(word) > longest for word in words.values()):
            raise ValidationError(_("A tag has at most %(count)d characters.") % {"count": longest})
        return list(words.values())


class TaggedForm(RecordForm):
    """A record with tags."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["tags"].initial = ", ".join(self.instance.tags.values_list("name", flat=True))

    def save(self, commit: bool = True) -> Any:
        """The record, then exactly these tags; new words become tags."""
        record = super().save(commit)
        found = [
            Tag.objects.filter(name__iexact=word).first() or Tag.objects.create(name=word)
            for word in self.cleaned_data["tags"]
        ]
        record.tags.set(found)
        return record


class CustomerForm(TaggedForm):
    """One customer."""

    tags = TagsField()
    # Not among Meta.fields: Django 5.2 would make a field with http as its scheme first, and warn.
    website = forms.URLField(label=gettext_lazy("Website"), max_length=200, required=False, assume_scheme="https")

    sections: ClassVar = (
        Section(gettext_lazy("Name"), ("name", "kind", "part", "parent")),
        Section(gettext_lazy("Care"), ("level", "status", "owner", "region", "tags")),
        Section(gettext_lazy("Address"), ("address", "website")),
        Section(gettext_lazy("Notes"), ("notes",), gettext_lazy("Customers never see them.")),
    )

    class Meta:
        model = Customer
        fields = (
            "name",
            "kind",
            "part",
            "parent",
            "level",
            "status",
            "owner",
            "region",
            "address",
            "notes",
        )
        widgets: ClassVar = {
            "parent": customer_picker.widget(),
            "address": forms.Textarea(attrs={"rows": 4}),
            "notes": forms.Textarea(attrs={"rows": 5}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["website"].initial = self.instance.website
        self.fields["owner"].queryset = User.objects.filter(is_staff=True, is_active=True)

    def clean_website(self) -> str:
        """With a scheme."""
        self.instance.website = self.cleaned_data["website"]
        return self.instance.website

    def clean_parent(self) -> Customer | None:
        """Refuse a circle."""
        return no_circle(self, self.cleaned_data["parent"])


class CustomerFilter(filters.WagtailFilterSet):
    """Customers by what is known of them; each takes several values."""

    level = filters.choices("level", gettext_lazy("Level"), Customer.Level.choices)
    status = filters.choices("status", gettext_lazy("Status"), Customer.Status.choices)
    part = filters.choices("part", gettext_lazy("Part"), Customer.Part.choices)
    region = filters.records("region", gettext_lazy("Region"), lambda _request: Region.objects.all())
    owner = filters.records("owner", gettext_lazy("Owner"), lambda _request: User.objects.filter(is_staff=True))
    tags = filters.records("tags", gettext_lazy("Tags"), lambda _request: Tag.objects.all(), distinct=True)

    class Meta:
        model = Customer
        fields = ()


class CustomerPage(StaffView):
    """A customer: facts, contacts, tickets, what happened."""

    permissions = ("customers.view_customer",)
    template_name = "customers/staff/record.html"
    header_icon = "g-company"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The record and its panels."""
        pk = self.kwargs["pk"]
        self.record = self.visible_or_404(Customer, pk=pk)
        panels = panels_of("customer", self.request, self.record)
        return super().get_context_data(
            record=self.record,
            subtitle=[self.record.get_kind_display(), self.record.get_part_display()],
            panels=[panel.render(self.request) for panel in panels if not panel.aside],
            asides=[panel.render(self.request) for panel in panels if panel.aside],
            edit_url=reverse("customers:edit", args=[pk])
            if self.request.user.has_perm("customers.change_customer")
            else None,
            **kwargs,
        )

    def get_trail(self) -> list[dict[str, Any]]:
        """The list."""
        return [{"url": reverse("customers:index"), "label": _("Customers")}]

    def get_page_title(self) -> str:
        """The name."""
        return str(self.record)


class CustomerViewSet(RecordViewSet):
    """Customers, suppliers, partners, competitors."""

    name = "customers"
    url_prefix = "customers"
    audited = False
    model = Customer
    icon = "g-company"
    menu_name = "customers"
    list_display: ClassVar = [
        LinkColumn(
            "name",
            label=gettext_lazy("Name"),
            sort_key="name",
            classname="title",
            url=lambda customer: reverse("customers:record", args=[customer.pk]),
        ),
        StatusColumn("level", label=gettext_lazy("Level"), sort_key="level"),
        StatusColumn("status", label=gettext_lazy("Status"), sort_key="status"),
        "region",
        PersonColumn("owner", label=gettext_lazy("Owner")),
        MomentColumn("created_at", label=pgettext_lazy("in our books", "Since"), sort_key="created_at"),
    ]
    list_export: ClassVar = [
        "name",
        "get_kind_display",
        "get_part_display",
        "get_level_display",
        "get_status_display",
        "region",
        "owner",
        "website",
        "address",
        "created_at",
    ]
    export_headings: ClassVar = {
        "get_kind_display": gettext_lazy("Kind"),
        "get_part_display": gettext_lazy("Part"),
        "get_level_display": gettext_lazy("Level"),
        "get_status_display": gettext_lazy("Status"),
    }
    export_filename = "customers"
    search_fields: ClassVar = ["name", "website"]
    filterset_class = CustomerFilter
    ordering = "name"
    select_related = ("region", "owner")

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return CustomerForm

    def url_after_save(self, record: Model) -> str:
        """The record's page."""
        return reverse("customers:record", args=[record.pk])

    def get_urlpatterns(self) -> list[URLPattern]:
        """The page of panels beside the generic ones."""
        return [*super().get_urlpatterns(), path("<int:pk>/", CustomerPage.as_view(), name="record")]


class RegionForm(RecordForm):
    """A region."""

    class Meta:
        model = Region
        fields = ("name", "parent")

    def clean_parent(self) -> Region | None:
        """Refuse a circle."""
        return no_circle(self, self.cleaned_data["parent"])


class RegionViewSet(RecordViewSet):
    """Regions."""

    name = "regions"
    url_prefix = "regions"
    model = Region
    icon = "g-globe"
    menu_name = "regions"
    list_display: ClassVar = ["name", "parent"]
    search_fields: ClassVar = ["name"]
    select_related = ("parent",)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return RegionForm


class TagForm(RecordForm):
    """A tag; the same word in another case is the same tag."""

    class Meta:
        model = Tag
        fields = ("name",)

    def clean_name(self) -> str:
        """One spelling."""
        name = self.cleaned_data["name"].strip()
        if Tag.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("This tag exists already."))
        return name


class TagViewSet(RecordViewSet):
    """Tags of customers, contacts and tickets."""

    name = "tags"
    url_prefix = "tags"
    audited = False
    model = Tag
    icon = "g-tag"
    menu_name = "tags"
    list_display: ClassVar = ["name"]
    search_fields: ClassVar = ["name"]

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return TagForm


# Panels of a customer's page


def facts(request: Any, customer: Customer) -> Panel:
    """What is known of the customer."""
    return Panel(_("Facts"), "customers/staff/panel_facts.html", {"customer": customer}, aside=True)


def contacts(request: Any, customer: Customer) -> Panel:
    """The people there."""
    found = customer.contacts.filter(merged_into=None).prefetch_related("points")
    return Panel(_("Contacts"), "customers/staff/panel_contacts.html", {"contacts": found[:50], "customer": customer})


def timeline(request: Any, customer: Customer) -> Panel:
    """What happened with any of its people."""
    entries = (
        TimelineEntry.objects.filter(contact__customer=customer)
        .select_related("contact", "actor")
        .order_by("-at", "-id")
    )
    shown = visible_to(request.user, entries, 40)
    return Panel(_("Timeline"), "customers/staff/panel_timeline.html", {"entries": shown, "named": True})


register_panel("customer", 10, facts)
register_panel("customer", 20, contacts)
register_panel("customer", 90, timeline)
