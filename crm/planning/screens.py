"""What the screens of tasks and appointments share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.staff.forms import RecordForm
from crm.customers import identity
from crm.customers.models import Contact, ContactPoint
from crm.organisation.models import User
from crm.planning import services


def colleagues() -> QuerySet[User]:
    """Who can be given something."""
    return User.objects.filter(is_staff=True, is_active=True)


def phone_number(written: str) -> str:
    """A number in its one spelling; empty for nothing. Raises ValidationError."""
    if not written.strip():
        return ""
    try:
        return identity.normalise(ContactPoint.Kind.PHONE, written)
    except identity.AddressInvalid:
        said = _("Write the number with its country, as +49 40 123456.")
        raise ValidationError(said) from None


class PlanForm(RecordForm):
    """What tasks and appointments have in common."""

    def clean_phone(self) -> str:
        """One spelling."""
        return phone_number(self.cleaned_data["phone"])


class RefusalsShown:
    """What the service refuses stands above the form."""

    produced_error_message: str | None

    def form_valid(self, form: Any) -> Any:
        """Save, or show why not."""
        try:
            return super().form_valid(form)  # type: ignore[misc]
        except services.NotPossible as refusal:
            form.add_error(None, str(refusal))
            self.produced_error_message = str(refusal)
            return self.form_invalid(form)  # type: ignore[attr-defined]


class FromAddress:
    """A new record about the contact that the address names: `?contact=12`."""

    request: Any

    def get_initial(self) -> dict[str, Any]:
        """The contact, if the colleague may see it, and its customer."""
        found = super().get_initial()  # type: ignore[misc]
        key = self.request.GET.get("contact", "")
        if key.isascii() and key.isdigit() and len(key) < 18:
            contact = Contact.objects.visible_to(self.request.user).filter(pk=key).first()
            if contact is not None:
                found |= {"contact": contact.pk, "customer": contact.customer_id}
        return found


def way_back(request: HttpRequest, otherwise: str) -> str:
    """Where the form says that the reader came from, if that is one of our pages."""
    back = request.POST.get("next", "")
    return back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else otherwise


WHAT = {
    "made": gettext_lazy("Made"),
    "people": gettext_lazy("Colleagues"),
    "state": gettext_lazy("State"),
    "built": gettext_lazy("People found by a search"),
    "imported": gettext_lazy("People of a file"),
}


def history(events: Iterable[Any], model: type[Model]) -> list[dict[str, Any]]:
    """Lines of history as people read them: the field's name, and labels and moments for stored words."""
    lines = []
    for event in events:
        field = next((f for f in model._meta.concrete_fields if f.name == event.what), None)
        labels = {str(key): str(label) for key, label in field.flatchoices} if field else {}
        lines.append(
            {
                "event": event,
                "what": WHAT.get(event.what) or (field.verbose_name if field else event.what),
                "old": labels.get(event.old) or moment(event.old),
                "new": labels.get(event.new) or moment(event.new),
            }
        )
    return lines


def moment(words: str) -> str | datetime:
    """The moment that stands there, or the words themselves."""
    try:
        return datetime.fromisoformat(words) if "T" in words else words
    except ValueError:
        return words
