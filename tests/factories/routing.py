"""Queues, hours, promises and rules."""

from __future__ import annotations

from datetime import time
from typing import Any

import factory
from factory.django import DjangoModelFactory

from routing.models import BusinessHours, KeywordSet, Macro, Queue, QueueMember, Rule, Shift, SLAPolicy


class BusinessHoursFactory(DjangoModelFactory):
    """Monday to Friday, 9:00–17:00 in Berlin; `shifts=[(weekday, "08:00", "12:00"), …]` for anything else."""

    class Meta:
        model = BusinessHours
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Hours {n}")
    time_zone = "Europe/Berlin"

    @factory.post_generation
    def shifts(self, create: bool, extracted: list[tuple[int, str, str]] | None, **_kwargs: Any) -> None:
        if not create:
            return
        wanted = extracted if extracted is not None else [(day, "09:00", "17:00") for day in range(5)]
        Shift.objects.bulk_create(
            Shift(hours=self, weekday=day, opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))
            for day, opens, closes in wanted
        )


class SLAPolicyFactory(DjangoModelFactory):
    class Meta:
        model = SLAPolicy

    name = factory.Sequence(lambda n: f"Policy {n}")
    first_answer = 60
    next_answer = 120
    solution = 480


class QueueFactory(DjangoModelFactory):
    class Meta:
        model = Queue

    name = factory.Sequence(lambda n: f"Queue {n}")


class QueueMemberFactory(DjangoModelFactory):
    class Meta:
        model = QueueMember

    queue = factory.SubFactory(QueueFactory)
    user = factory.SubFactory("tests.factories.crm.StaffFactory")


class RuleFactory(DjangoModelFactory):
    """A rule on incoming messages that always matches and does nothing."""

    class Meta:
        model = Rule

    name = factory.Sequence(lambda n: f"Rule {n}")
    position = factory.Sequence(lambda n: n)
    conditions = factory.LazyFunction(lambda: {"match": "all", "items": []})
    actions = factory.LazyFunction(list)


class MacroFactory(DjangoModelFactory):
    class Meta:
        model = Macro

    name = factory.Sequence(lambda n: f"Macro {n}")
    actions = factory.LazyFunction(list)


class KeywordSetFactory(DjangoModelFactory):
    class Meta:
        model = KeywordSet

    name = factory.Sequence(lambda n: f"intent-{n}")
    words = "alpha\nbeta"
