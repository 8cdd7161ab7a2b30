"""Whom we may call. Every way to a telephone asks `may_call` right before it dials."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from crm.customers import identity
from crm.customers.models import ContactPoint, Customer, RefusedNumber, TimelineEntry
from crm.organisation.models import User


def may_call(number: str) -> str:
    """Why this number (E.164) must not be called, in words for whoever wants to; empty when it may be."""
    return refusals([number]).get(number, "")


def refusals(numbers: Collection[str]) -> dict[str, str]:
    """Those of these numbers (E.164) that must not be called, each with the reason."""
    wanted = set(numbers)
    found = {number: _("No telephone number.") for number in wanted if not _usable(number)}
    blocked = ContactPoint.objects.filter(
        kind__in=ContactPoint.NUMBERS, value__in=wanted, contact__customer__status=Customer.Status.BLOCKED
    )
    for value, customer in blocked.values_list("value", "contact__customer__name"):
        found[value] = _("%(customer)s is blocked.") % {"customer": customer}
    for number, reason in RefusedNumber.objects.filter(number__in=wanted).values_list("number", "reason"):
        found[number] = _("Wants no calls: %(reason)s") % {"reason": reason} if reason else _("Wants no calls.")
    return found


@transaction.atomic
def refuse_calls(number: str, *, by: User | None, reason: str = "") -> RefusedNumber:
    """From now on nobody calls this number; a reason given later replaces the first. Raises AddressInvalid."""
    value = identity.normalise(ContactPoint.Kind.PHONE, number)
    row, made = RefusedNumber.objects.get_or_create(number=value, defaults={"reason": reason[:200], "by": by})
    if not made and reason and row.reason != reason[:200]:
        row.reason, row.by = reason[:200], by
        row.save(update_fields=["reason", "by"])
    if made:
        _note("calls.refused", value, reason, by)
    return row


@transaction.atomic
def allow_calls(number: str, *, by: User | None, reason: str = "") -> None:
    """The number may be called again. Does nothing when it may be anyway. Raises AddressInvalid."""
    value = identity.normalise(ContactPoint.Kind.PHONE, number)
    if RefusedNumber.objects.filter(number=value).delete()[0]:
        _note("calls.allowed", value, reason, by)


def _usable(number: str) -> bool:
    return number.startswith("+") and number[1:].isascii() and number[1:].isdigit()


def _note(kind: str, number: str, reason: str, by: User | None) -> None:
    contacts = ContactPoint.objects.filter(kind__in=ContactPoint.NUMBERS, value=number).values_list(
        "contact_id", flat=True
    )
    TimelineEntry.objects.bulk_create(
        TimelineEntry(contact_id=pk, kind=kind, title=f"{number} {reason}".strip()[:300], actor=by)
        for pk in set(contacts)
    )
