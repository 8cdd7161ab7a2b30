"""Screens of numbers that nobody calls: the list of them, and the mark on a contact's page."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.forms import BaseModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages

from core.staff.columns import MomentColumn, PersonColumn
from core.staff.forms import RecordForm
from core.staff.views import StaffRequired
from core.staff.viewsets import RecordViewSet
from crm.customers import consent, identity
from crm.customers.models import Contact, ContactPoint, RefusedNumber


class RefusedNumberForm(RecordForm):
    """One number."""

    class Meta:
        model = RefusedNumber
        fields = ("number", "reason")

    def clean_number(self) -> str:
        """In its one spelling, and not there yet."""
        try:
            number = identity.normalise(ContactPoint.Kind.PHONE, self.cleaned_data["number"])
        except identity.AddressInvalid:
            raise ValidationError(_("Write the number with its country, as +49 40 123456.")) from None
        if RefusedNumber.objects.filter(number=number).exists():
            raise ValidationError(_("This number is on the list already."))
        return number


class RefusedNumberViewSet(RecordViewSet):
    """Numbers that nobody calls. Taken back by deleting."""

    name = "refused_numbers"
    url_prefix = "refused-numbers"
    model = RefusedNumber
    icon = "g-phone"
    menu_name = "refused-numbers"
    menu_label = gettext_lazy("Do not call")
    edit_enabled = False
    list_display: ClassVar = [
        "__str__",
        "reason",
        PersonColumn("by", label=gettext_lazy("Written down by")),
        MomentColumn("at", label=gettext_lazy("Since"), sort_key="at"),
    ]
    list_export: ClassVar = ["number", "reason", "by", "at"]
    export_filename = "do-not-call"
    search_fields: ClassVar = ["number", "reason"]
    ordering = "-id"
    select_related = ("by",)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return RefusedNumberForm

    def saved(self, form: BaseModelForm[Any], by: Any) -> Model:
        """By the service."""
        return consent.refuse_calls(form.cleaned_data["number"], by=by, reason=form.cleaned_data["reason"])

    def removed(self, record: Model, by: Any) -> None:
        """By the service."""
        consent.allow_calls(str(record), by=by)


class CallsView(StaffRequired):
    """Sets the mark on one number of a contact, or takes it back."""

    permissions = ("customers.view_contact",)

    def post(self, request: HttpRequest, pk: int, point: int, deed: str) -> HttpResponse:
        """Raises Http404 for a number of somebody else, PermissionDenied for whoever may not do this."""
        contact = self.visible_or_404(Contact, pk=pk)
        found = contact.points.filter(pk=point, kind__in=ContactPoint.NUMBERS).first()
        verb = {"refuse": "add", "allow": "delete"}.get(deed)
        if found is None or verb is None:
            raise Http404
        if not self.request.user.has_perm(f"customers.{verb}_refusednumber"):
            raise PermissionDenied
        if deed == "refuse":
            reason = " ".join(request.POST.get("reason", "").split())
            consent.refuse_calls(found.value, by=self.request.user, reason=reason)
            messages.success(request, _("%(number)s will not be called from now on.") % {"number": found.value})
        else:
            consent.allow_calls(found.value, by=self.request.user)
            messages.success(request, _("%(number)s may be called again.") % {"number": found.value})
        return redirect("contacts:record", pk)
