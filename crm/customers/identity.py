"""Who somebody is: addresses made comparable, contacts found by them, two contacts known as one person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

import phonenumbers
from django.db import models, transaction
from django.utils import timezone

from crm.customers.models import Contact, ContactLink, ContactPoint, TimelineEntry
from crm.organisation.models import User

_MAIL_ADDRESS = re.compile(r"[^\s@<>(),;:\"']+@[^\s@<>(),;:\"']+\.[^\s@<>(),;:\"'.]+")
_listeners: list[Callable[[list[int]], None]] = []
_followers: list[tuple[type[models.Model], str]] = []


class AddressInvalid(ValueError):
    """This cannot be an address of its kind."""


class LinkImpossible(ValueError):
    """These two contacts cannot be made one."""


def follow(model: type[models.Model], field: str) -> None:
    """Rows of `model` move with their contact when two contacts are linked. Called once at start by upper layers."""
    if (model, field) in _followers:
        raise ValueError(f"{model.__name__}.{field} follows already")
    _followers.append((model, field))


def on_linked(listener: Callable[[list[int]], None]) -> None:
    """Have `listener` called, in the transaction, with the keys of two contacts that became one, or two again."""
    _listeners.append(listener)


def _tell(contacts: list[int]) -> None:
    for listener in _listeners:
        listener(contacts)


def normalise_email(value: str) -> str:
    """One spelling for one mailbox: NFKC, no control characters, lower case, domain in ASCII (IDNA). "" if unusable.

    The local part is lower-cased too: RFC 5321 would allow case to matter, no mail system in use does. Quotes around it
    that nothing in it needs are no part of it (RFC 5321, 4.1.2).
    """
    text = unicodedata.normalize("NFKC", value).strip().lower()
    local, at, domain = text.rpartition("@")
    if len(local) > 2 and local[0] == local[-1] == '"' and "@" not in local:
        local = local[1:-1]
    if not at or not local or not domain or len(text) > 320:
        return ""
    if any(c.isspace() or unicodedata.category(c).startswith("C") or c in '<>,;"()[]\\' for c in local + domain):
        return ""
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode()
        except UnicodeError:
            return ""
    return f"{local}@{domain.rstrip('.')}"


def normalise(kind: str, value: str, region: str = "") -> str:
    """`value` in its one spelling: a mail address, or a number in E.164. Raises AddressInvalid."""
    if kind == ContactPoint.Kind.EMAIL:
        address = normalise_email(value)
        if not address:
            raise AddressInvalid(value)
        return address
    try:
        number = phonenumbers.parse(value, region or None)
    except phonenumbers.NumberParseException as fault:
        raise AddressInvalid(value) from fault
    if not phonenumbers.is_possible_number(number):
        raise AddressInvalid(value)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def display_name(name: str) -> str:
    """A sender's name fit for a record: no control or format characters, one line, at most 200 characters."""
    visible = (c for c in name if c.isspace() or not unicodedata.category(c).startswith("C"))
    return " ".join("".join(visible).split())[:200]


def name_of(name: str, address: str) -> str:
    """What to call whoever is reached at `address`: nothing that passes for the address of somebody else (S-15)."""
    shown = display_name(name)
    return "" if any(normalise_email(other) != address for other in _MAIL_ADDRESS.findall(shown)) else shown


def contacts_for(kind: str, wanted: dict[str, str]) -> dict[str, Contact]:
    """Contacts by normalised address, made where missing. `wanted` maps addresses to the name to give a new contact.

    A telephone number that is known as a fax number, or the other way round, is the same person's, and is both then.
    Call inside a transaction. Raises IntegrityError when another transaction makes the same contact at this moment;
    the caller runs again.
    """
    points = ContactPoint.objects.filter(kind=kind, value__in=wanted).select_related("contact__customer")
    found = {point.value: point.contact for point in points}
    missing = [value for value in wanted if value not in found]
    if missing and kind in ContactPoint.NUMBERS:
        others = ContactPoint.objects.filter(kind__in=ContactPoint.NUMBERS, value__in=missing)
        known = {point.value: point.contact for point in others.select_related("contact__customer")}
        ContactPoint.objects.bulk_create(
            ContactPoint(contact=contact, kind=kind, value=value) for value, contact in known.items()
        )
        found |= known
        missing = [value for value in missing if value not in known]
    if missing:
        made = Contact.objects.bulk_create(Contact(name=name_of(wanted[value], value)) for value in missing)
        ContactPoint.objects.bulk_create(
            ContactPoint(contact=contact, kind=kind, value=value) for value, contact in zip(missing, made, strict=True)
        )
        found.update(zip(missing, made, strict=True))
    return found


@transaction.atomic
def contact_for(kind: str, value: str, name: str = "") -> Contact:
    """The contact with this address, made when there is none. Raises AddressInvalid."""
    address = normalise(kind, value)
    return contacts_for(kind, {address: name})[address]


def give_point(contact: Contact, kind: str, address: str) -> bool:
    """Note that `contact` is reached at this normalised address, unless it is somebody's; whether it was new."""
    _point, made = ContactPoint.objects.get_or_create(kind=kind, value=address, defaults={"contact": contact})
    return made


@transaction.atomic
def claim_for_user(user: User, address: str) -> Contact:
    """After `user` proved that `address` is his: his contact is the one with that address.

    A user has one contact. A second proven address brings its contact in by `link`, so that all his tickets are seen.
    """
    contact = contact_for(ContactPoint.Kind.EMAIL, address, user.name)
    ContactPoint.objects.filter(contact=contact, kind=ContactPoint.Kind.EMAIL, value=normalise_email(address)).update(
        verified_at=timezone.now()
    )
    own = Contact.objects.filter(user=user).first()
    if own is None and contact.user_id is None:
        contact.user = user
        contact.save(update_fields=["user"])
        return contact
    if own is not None and own != contact and contact.user_id is None:
        link(own, contact, by=None)
        return own
    return own or contact


@transaction.atomic
def link(kept: Contact, other: Contact, *, by: User | None) -> ContactLink:
    """Make two contacts one person: everything of `other` moves to `kept`, and what moved is noted for `unlink`.

    Raises LinkImpossible for the same contact, one that is already part of another, or two with a login each.
    """
    rows = {c.pk: c for c in Contact.objects.select_for_update().filter(pk__in=[kept.pk, other.pk]).order_by("pk")}
    kept, other = rows[kept.pk], rows[other.pk]
    if kept.pk == other.pk or kept.merged_into_id or other.merged_into_id:
        raise LinkImpossible("already one contact")
    if kept.user_id and other.user_id:
        raise LinkImpossible("both contacts have a login")
    moved: dict[str, Any] = {"user": other.user_id}
    for model, field in _movers():
        moved[f"{model._meta.label}.{field}"] = _move(model, field, other, kept)
    user_id, other.user_id = other.user_id, None
    other.merged_into = kept
    other.save(update_fields=["user", "merged_into"])
    if user_id:
        kept.user_id = user_id
        kept.save(update_fields=["user"])
    TimelineEntry.objects.create(contact=kept, kind="contact.linked", title=str(other), actor=by)
    _tell([kept.pk, other.pk])
    return ContactLink.objects.create(kept=kept, merged=other, by=by, moved=moved)


@transaction.atomic
def unlink(record: ContactLink, *, by: User | None) -> None:
    """Undo a link: what moved then goes back, what came since stays. Does nothing when it was undone before."""
    record = ContactLink.objects.select_for_update().select_related("kept", "merged").get(pk=record.pk)
    if record.undone_at:
        return
    kept, other = record.kept, record.merged
    for model, field in _movers():
        keys = record.moved.get(f"{model._meta.label}.{field}", [])
        model._default_manager.filter(pk__in=keys, **{field: kept}).update(**{field: other})
    other.merged_into = None
    if record.moved.get("user") and kept.user_id == record.moved["user"]:
        kept.user_id = None
        kept.save(update_fields=["user"])
        other.user_id = record.moved["user"]
    other.save(update_fields=["merged_into", "user"])
    record.undone_at = timezone.now()
    record.save(update_fields=["undone_at"])
    TimelineEntry.objects.create(contact=kept, kind="contact.unlinked", title=str(other), actor=by)
    _tell([kept.pk, other.pk])


def _movers() -> Iterable[tuple[type[models.Model], str]]:
    return [(ContactPoint, "contact"), (TimelineEntry, "contact"), *_followers]


def _move(model: type[models.Model], field: str, source: Contact, target: Contact) -> list[int]:
    rows = model._default_manager.filter(**{field: source})
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and field in constraint.fields:
            # A row that the target has already stays where it is: the pair would exist twice.
            others = [name for name in constraint.fields if name != field]
            if len(others) == 1:
                taken = model._default_manager.filter(**{field: target}).values(others[0])
                rows = rows.exclude(**{f"{others[0]}__in": taken})
    keys = list(rows.values_list("pk", flat=True))
    model._default_manager.filter(pk__in=keys).update(**{field: target})
    return keys
