"""A clock that can be set, while the past of the demo company is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest import mock

from django.apps import apps
from django.db.models import Field
from django.utils import timezone


class Clock:
    """What `timezone.now` says. It only goes forward, a moment with every look, so that order stays order."""

    def __init__(self) -> None:
        self._now = timezone.now()

    def set(self, moment: datetime) -> None:
        """It is `moment` now."""
        self._now = moment

    def __call__(self) -> datetime:
        """The time it is."""
        self._now += timedelta(microseconds=250)
        return self._now


@contextmanager
def past() -> Iterator[Clock]:
    """Within this block every service, and every default of a model, asks the clock given here."""
    clock, real = Clock(), timezone.now
    defaults: list[Field] = [
        field for model in apps.get_models() for field in model._meta.local_fields if field.default is real
    ]
    with mock.patch.object(timezone, "now", clock):
        for field in defaults:
            field.default = clock
            field.__dict__.pop("_get_default", None)
        try:
            yield clock
        finally:
            for field in defaults:
                field.default = real
                field.__dict__.pop("_get_default", None)
