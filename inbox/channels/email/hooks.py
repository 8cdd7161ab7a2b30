"""The mark of a ticket in a subject, such as `[Ticket#101492]`: its beginning is the channel's own, the hook.

A number in a subject proves nothing. It is read as a claim, and only where it is written as we write it: numbers of
invoices and of other help desks are no claims on our tickets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Any

DEFAULT = "Ticket#"
_IN_BRACKETS = re.compile(r"\[([^\[\]]{1,60})\]")
_NUMBER = r"\s?([0-9]{6,12})"
_ALONE = re.compile(rf"\s*(?:\w{{1,6}}\s?:\s*){{0,5}}#{_NUMBER}\s*")
"""A subject that is nothing else, but for `Re:` and the like."""


def of(settings: dict[str, Any]) -> str:
    """The hook of a channel with these settings."""
    return settings.get("subject_hook") or DEFAULT


def _loosely(hook: str) -> str:
    """As people write it by hand: `Ticket #101492` and `ticket 101492` for `[Ticket#101492]`."""
    parts = re.findall(r"\w+|[^\w\s]", hook)
    last = "#?" if len(parts) > 1 and parts[-1] == "#" else ""
    return r"\s*".join([*map(re.escape, parts[:-1] if last else parts), *([last] if last else [])])


def numbers_in(subject: str, hooks: Collection[str]) -> list[int]:
    """Ticket numbers that the subject names: after one of the hooks, with or without brackets, or as plain `[#N]`."""
    subject = unicodedata.normalize("NFKC", subject)
    known = [_loosely(unicodedata.normalize("NFKC", hook)) for hook in hooks]
    marked = re.compile(rf"(?:{'|'.join([*known, '#'])}){_NUMBER}", re.IGNORECASE)
    if alone := _ALONE.fullmatch(subject):
        return [int(alone[1])]
    found = [match for inside in _IN_BRACKETS.findall(subject) if (match := marked.fullmatch(inside.strip()))]
    # Outside of brackets only a hook that says whose number it is: "Invoice #101492" is not ours, whatever our hook.
    words = [hook for hook in known if any(sign.isalpha() for sign in hook)]
    if words:
        bare = re.compile(rf"(?<!\w)(?:{'|'.join(words)}){_NUMBER}(?!\w)", re.IGNORECASE)
        found += bare.finditer(_IN_BRACKETS.sub(" ", subject))
    return [int(match[1]) for match in found]
