"""Tasks and appointments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from crm.planning.models import Appointment, Task


class TaskFactory(DjangoModelFactory):
    """An open task of a queue's; `TaskFactory(assignee=user, queue=None)` for a person's."""

    class Meta:
        model = Task

    title = factory.Sequence(lambda n: f"Task {n}")
    queue = factory.SubFactory("tests.factories.routing.QueueFactory")


class AppointmentFactory(DjangoModelFactory):
    """An agreed call back tomorrow, half an hour long; `people=[user]` says who keeps it."""

    class Meta:
        model = Appointment
        skip_postgeneration_save = True

    topic = factory.Sequence(lambda n: f"Appointment {n}")
    queue = factory.SubFactory("tests.factories.routing.QueueFactory")
    starts_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=1))
    ends_at = factory.LazyAttribute(lambda o: o.starts_at + timedelta(minutes=30))

    @factory.post_generation
    def people(self, create: bool, extracted: list[Any] | None, **_kwargs: Any) -> None:
        if create and extracted:
            self.people.set(extracted)
