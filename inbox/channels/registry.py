"""Which channels there are. A new one is one folder and one line here."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from inbox.channels.base import Adapter

ADAPTERS = [
    "inbox.channels.email.adapter.EmailAdapter",
    "inbox.channels.chat.adapter.ChatAdapter",
    "inbox.channels.webform.adapter.WebFormAdapter",
    "inbox.channels.phone.adapter.PhoneAdapter",
    "inbox.channels.fax.adapter.FaxAdapter",
]


class UnknownChannelKind(LookupError):
    """A channel row names a kind that no adapter serves."""


@cache
def _by_kind() -> dict[str, Adapter]:
    return collect(import_string(path)() for path in ADAPTERS)


def collect(found: Iterable[Adapter]) -> dict[str, Adapter]:
    """The adapters by kind. Raises ImproperlyConfigured when two claim the same kind."""
    kinds: dict[str, Adapter] = {}
    for each in found:
        if each.kind in kinds:
            raise ImproperlyConfigured(f"two adapters for channel kind {each.kind}")
        kinds[each.kind] = each
    return kinds


def adapter(kind: str) -> Adapter:
    """The adapter of this kind. Raises UnknownChannelKind."""
    try:
        return _by_kind()[kind]
    except KeyError:
        raise UnknownChannelKind(kind) from None


def has(kind: str, trait: str) -> bool:
    """Whether the adapter says this of itself (`has_pages`, `reads_mail`); False for a kind that nobody serves."""
    found = _by_kind().get(kind)
    return bool(getattr(found, trait, False))


def kinds() -> frozenset[str]:
    """The kinds that there are."""
    return frozenset(_by_kind())


def adapters() -> tuple[Adapter, ...]:
    """All of them, in the order of the list above."""
    return tuple(_by_kind().values())
