"""Why something cannot be done to a task or an appointment, in words for whoever tried."""

from __future__ import annotations


class NotPossible(ValueError):
    """What was asked for makes no sense; the text is for people."""


class NobodyResponsible(NotPossible):
    """A task or an appointment must be somebody's: a person's or a queue's."""


class Finished(NotPossible):
    """It was finished in the meantime."""
