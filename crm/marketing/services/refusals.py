"""Why something cannot be done to a call list, in words for whoever tried."""

from __future__ import annotations


class NotPossible(ValueError):
    """What was asked for makes no sense; the text is for people."""


class NotNow(NotPossible):
    """The list is not being worked: it does not run, or today is none of its days."""


class NotYours(NotPossible):
    """Somebody else has the entry, or it went back to the list in the meantime."""
