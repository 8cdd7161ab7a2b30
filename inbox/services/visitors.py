"""Visitors of the chat: their tokens, who they are, where they are. What they say goes through `utterances`."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core import zones
from core.secrets import SecretUnreadable
from crm.customers import identity
from crm.customers.models import Contact, ContactPoint
from inbox import live
from inbox.channels.email.understanding.language import of_tag
from inbox.models import Channel, Conversation, Visitor, VisitorKey

VALID = timedelta(days=30)
"""A token lives so long after its last session."""
ROTATED_AFTER = timedelta(days=7)
OVERLAP = timedelta(minutes=10)
"""The old token of a rotated pair is still taken so long: another tab may hold it."""
ATTRIBUTES, NAME_LIMIT, VALUE_LIMIT = 20, 60, 300
BEAT = timedelta(seconds=15)
VISIT = timedelta(minutes=30)
"""Whoever comes back later than this is counted as a new visit."""
FORGOTTEN_AFTER = timedelta(days=90)


class TokenRefused(Exception):
    """No visitor of this channel has this token (any more)."""


class IdentityRefused(Exception):
    """The proof of who he is is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where the visitor is, as his browser says; text and nothing else (S-14)."""

    url: str = ""
    title: str = ""
    referrer: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who the page says he is. `signature` is HMAC-SHA256(identifier, the channel's secret), hexadecimal."""

    identifier: str = ""
    signature: str = ""
    name: str = ""
    email: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


def enter(
    channel: Channel, token: str, page: Page, *, locale: str = "", zone: str = "", claim: Claim | None = None
) -> tuple[Visitor, str]:
    """The visitor with this token, or a new one, and the token he uses from now on. Raises IdentityRefused.

    Without a valid proof a claimed identity changes nothing and shows nothing (S-75).
    """
    if claim is not None and not proved(channel, claim):
        raise IdentityRefused
    try:
        return _enter(channel, token, page, locale, zone, claim)
    except IntegrityError:
        # Another tab made the same identity, or its contact, at this moment: now it is found.
        return _enter(channel, token, page, locale, zone, claim)


def _enter(
    channel: Channel, token: str, page: Page, locale: str, zone: str, claim: Claim | None
) -> tuple[Visitor, str]:
    with transaction.atomic():
        try:
            key = _key(channel, token)
        except TokenRefused:
            key = None
        visitor = key.visitor if key else Visitor(channel=channel, locale="")
        if claim is None and visitor.identifier:
            # The page knows nobody (any more): whoever sits there now does not see what the other one wrote.
            _end(key)
            key, visitor = None, Visitor(channel=channel, locale="")
        if claim is not None:
            visitor = _identified(visitor, claim)
        if visitor.pk and timezone.now() - visitor.seen_at > VISIT:
            visitor.visits += 1
        _note(visitor, page, locale)
        if zone in zones.known():
            visitor.zone = zone
        visitor.save()
        return visitor, _token_for(visitor, key, token)


def by_token(channel: Channel, token: str) -> Visitor:
    """The visitor with this token at this channel. Raises TokenRefused."""
    return _key(channel, token).visitor


def digest_of(token: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _key(channel: Channel, token: str) -> VisitorKey:
    # The channel is part of the question: a token of one site opens nothing at another (S-75).
    found = VisitorKey.objects.select_related("visitor__contact").filter(
        digest=digest_of(token), visitor__channel=channel, until__gt=timezone.now()
    )
    key = found.first() if token else None
    if key is None:
        raise TokenRefused
    key.visitor.channel = channel
    return key


def _token_for(visitor: Visitor, key: VisitorKey | None, token: str) -> str:
    now = timezone.now()
    if key is not None and key.visitor_id == visitor.pk and now - key.made_at < ROTATED_AFTER:
        if key.until - now < VALID - timedelta(days=1):
            VisitorKey.objects.filter(pk=key.pk).update(until=now + VALID)
        return token
    if key is not None:
        VisitorKey.objects.filter(pk=key.pk).update(until=min(key.until, now + OVERLAP))
    fresh = secrets.token_urlsafe(32)
    VisitorKey.objects.create(visitor=visitor, digest=digest_of(fresh), until=now + VALID)
    return fresh


def leave(channel: Channel, token: str) -> None:
    """End this token: whoever comes next at this browser is somebody else. Raises TokenRefused."""
    key = _key(channel, token)
    _end(key)
    live.push([(f"visitor.{key.visitor_id}", {"type": "visitor.left"})])


def _end(key: VisitorKey | None) -> None:
    if key is not None:
        VisitorKey.objects.filter(pk=key.pk).delete()


# Who he is


def proved(channel: Channel, claim: Claim) -> bool:
    """Whether the signature is right for the identifier under the channel's secret; compared in constant time."""
    try:
        secret = channel.secrets().get("identity_secret", "")
    except SecretUnreadable:
        return False
    if not secret or not claim.identifier or len(claim.identifier) > 200:
        return False
    right = hmac.new(secret.encode(), claim.identifier.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(right.encode(), claim.signature.lower().encode("utf-8", "replace"))


def _identified(visitor: Visitor, claim: Claim) -> Visitor:
    """The one visitor of this identity. A stranger's talk on this browser becomes his."""
    channel = visitor.channel
    known = (
        Visitor.objects.select_for_update().filter(channel=channel, identifier=claim.identifier).first()
        if visitor.identifier != claim.identifier
        else visitor
    )
    if known is None:
        known = Visitor(channel=channel) if visitor.identifier else visitor
        known.identifier = claim.identifier
    _claim(known, claim)
    contact = _contact_of(known)
    if known.pk is None:
        known.contact = contact or known.contact
        known.save()
    elif contact is not None and known.contact_id != contact.pk:
        known.contact = _one_contact(contact, known.contact)
    if visitor.pk and visitor.pk != known.pk and not visitor.identifier:
        _take_in(known, visitor)
    return known


def _contact_of(visitor: Visitor) -> Contact | None:
    """The contact an identifier stands for: an address is looked up, since the site has proved it."""
    address = identity.normalise_email(visitor.identifier)
    if not address:
        return None
    return identity.contacts_for(ContactPoint.Kind.EMAIL, {address: visitor.name})[address]


def _one_contact(kept: Contact, other: Contact | None) -> Contact:
    if other is not None and other.pk != kept.pk and other.user_id is None and not other.points.exists():
        identity.link(kept, other, by=None)
    return kept


def _take_in(known: Visitor, stranger: Visitor) -> None:
    if stranger.contact is not None:
        known.contact = _one_contact(known.contact, stranger.contact) if known.contact else stranger.contact
    known.former = [*known.former, stranger.address, *stranger.former]
    known.save()
    last = known.conversations.aggregate(last=Max("number"))["last"]
    busy = known.conversations.filter(ended_at=None).exists()
    moved = list(stranger.conversations.select_for_update().order_by("number"))
    for number, talk in enumerate(moved, start=0 if last is None else last + 1):
        talk.visitor, talk.number = known, number
        if busy and talk.ended_at is None:
            known.conversations.filter(ended_at=None).update(
                ended_at=timezone.now(), ended_by=Conversation.Ended.VISITOR
            )
            busy = False
        talk.save(update_fields=["visitor", "number"])


def _claim(visitor: Visitor, claim: Claim) -> None:
    visitor.name = identity.display_name(claim.name) or visitor.name
    _claim_email(visitor, identity.normalise_email(claim.email))
    if claim.attributes:
        visitor.attributes = attributes(claim.attributes)


def _claim_email(visitor: Visitor, address: str) -> None:
    if address and address != visitor.email:
        visitor.email, visitor.email_state = address, Visitor.EmailState.CLAIMED


def attributes(given: Mapping[str, Any]) -> dict[str, Any]:
    """At most 20 short values of plain types; everything else is left out (S-13)."""
    kept: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, str):
            value = visible(value, VALUE_LIMIT)
        elif not isinstance(value, bool | int | float) or (isinstance(value, int | float) and abs(value) > 1e15):
            continue
        label = visible(str(name), NAME_LIMIT)
        if label and len(kept) < ATTRIBUTES:
            kept[label] = value
    return kept


def visible(text: str, limit: int) -> str:
    """One line of text without control and format signs, at most `limit` characters."""
    kept = "".join(c for c in text[: limit * 4] if c.isspace() or not unicodedata.category(c).startswith("C"))
    return " ".join(kept.split())[:limit]


def tell(visitor: Visitor, *, name: str = "", email: str = "") -> Visitor:
    """Keep what he says of himself: a claim, shown as such, by which nobody is found. Raises AddressInvalid."""
    if email:
        _claim_email(visitor, identity.normalise(ContactPoint.Kind.EMAIL, email))
    if name.strip():
        visitor.name = identity.display_name(name)
    visitor.save(update_fields=["name", "email", "email_state"])
    if visitor.contact_id and visitor.name:
        Contact.objects.filter(pk=visitor.contact_id, name=nameless(visitor)).update(name=visitor.name)
    return visitor


def address_of(visitor: Visitor) -> tuple[str, bool]:
    """Where mail reaches him, and whether it is proved to be his; empty when nobody knows."""
    proven = identity.normalise_email(visitor.identifier)
    if proven:
        return proven, True
    return visitor.email, visitor.email_state == Visitor.EmailState.CONFIRMED


def nameless(visitor: Visitor) -> str:
    """What colleagues call a visitor who has not said his name."""
    with translation.override(visitor.channel.language):
        return _("Visitor %(number)s") % {"number": visitor.pk}


def contacts(visitors: Collection[Visitor]) -> None:
    """See that each has a contact; called in the transaction of what he says."""
    bare = [v for v in visitors if v.contact_id is None]
    if not bare:
        return
    locked = {v.pk: v for v in Visitor.objects.select_for_update().filter(pk__in=[v.pk for v in bare]).order_by("pk")}
    lacking = [v for v in bare if locked[v.pk].contact_id is None]
    made = Contact.objects.bulk_create(Contact(name=v.name or nameless(v)) for v in lacking)
    for visitor, contact in zip(lacking, made, strict=True):
        visitor.contact = contact
        Visitor.objects.filter(pk=visitor.pk).update(contact=contact)
    for visitor in bare:
        if visitor.contact_id is None:
            visitor.contact_id = locked[visitor.pk].contact_id


# Where he is


def moved(visitor: Visitor, page: Page) -> None:
    """Note the page he is on now."""
    _note(visitor, page, "")
    visitor.save(update_fields=["page_url", "page_title", "seen_at"])


def _note(visitor: Visitor, page: Page, locale: str) -> None:
    visitor.page_url = visible(page.url, 2000) or visitor.page_url
    visitor.page_title = visible(page.title, 300) if page.url else visitor.page_title
    if page.referrer and not visitor.pk:
        visitor.referrer = visible(page.referrer, 2000)
    if locale:
        visitor.browser_language = visible(locale, 35)
        visitor.locale = locale_for(locale)
    elif not visitor.locale:
        visitor.locale = visitor.channel.language if visitor.channel.language in dict(settings.LANGUAGES) else "en"
    visitor.seen_at = timezone.now()


def locale_for(text: str) -> str:
    """The language of ours that fits a BCP 47 tag best; English when none does (S-13)."""
    language = of_tag(text)
    return language if language in dict(settings.LANGUAGES) else "en"


def seen_now(keys: Collection[int]) -> None:
    """Note a sign of life of these visitors, in few statements."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), 500):
        Visitor.objects.filter(pk__in=ordered[start : start + 500]).update(seen_at=timezone.now())


def sign_of_life(visitor: Visitor) -> None:
    """As `seen_now` for one; not written more often than every 15 seconds."""
    if timezone.now() - visitor.seen_at > BEAT:
        seen_now([visitor.pk])


def forget_unused() -> int:
    """Delete visitors that never spoke and were not here for long, and tokens that are over; how many visitors went."""
    now = timezone.now()
    VisitorKey.objects.filter(until__lt=now).delete()
    old = Visitor.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER, conversations=None, identifier="")
    keys = list(old.values_list("pk", flat=True)[:1000])
    Visitor.objects.filter(pk__in=keys).delete()
    return len(keys)


def readings(visitor: Visitor, wait_seconds: int) -> dict[str, Any]:
    """What rules may ask about him, see `ChatAdapter.facts`."""
    return {
        "page_url": visitor.page_url,
        "page_title": visitor.page_title,
        "referrer": visitor.referrer,
        "visitor_identified": bool(visitor.identifier),
        "visitor_returning": visitor.visits > 1,
        "visitor_attributes": [f"{name}={_plain(value)}" for name, value in visitor.attributes.items()],
        "browser_language": visitor.browser_language,
        "wait_seconds": wait_seconds,
    }


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
