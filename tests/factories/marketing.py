"""Call scripts and call lists."""

from __future__ import annotations

from typing import Any

import factory
from factory.django import DjangoModelFactory

from crm.customers.models import ContactPoint
from crm.marketing.models import CallList, CallListEntry, CallScript, ScriptStep, ScriptText
from tests.factories.crm import PointFactory


class CallScriptFactory(DjangoModelFactory):
    """A script in English; `texts={"en": ("Hello {{ contact.name }}", ["Question?"])}` gives its languages."""

    class Meta:
        model = CallScript
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Script {n}")

    @factory.post_generation
    def texts(self, create: bool, extracted: dict[str, tuple[str, list[str]]] | None, **_kwargs: Any) -> None:
        if not create:
            return
        for language, (opening, questions) in (extracted or {"en": ("Hello", ["How are you?"])}).items():
            ScriptText.objects.create(script=self, language=language, opening=opening)
            for place, question in enumerate(questions):
                ScriptStep.objects.create(script=self, language=language, position=place, question=question)


class CallListFactory(DjangoModelFactory):
    """A running list of calls at any hour; `people=[user]` says who works it."""

    class Meta:
        model = CallList
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Call list {n}")
    state = CallList.State.RUNNING
    hours = factory.SubFactory(
        "tests.factories.routing.BusinessHoursFactory", shifts=[(day, "00:00", "00:00") for day in range(7)]
    )

    @factory.post_generation
    def people(self, create: bool, extracted: list[Any] | None, **_kwargs: Any) -> None:
        if create and extracted:
            self.people.set(extracted)


class CallListEntryFactory(DjangoModelFactory):
    """Somebody to be called in Germany, with a contact whose number it is."""

    class Meta:
        model = CallListEntry

    call_list = factory.SubFactory(CallListFactory)
    contact = factory.SubFactory("tests.factories.crm.ContactFactory")
    number = factory.Sequence(lambda n: f"+4940{1000000 + n}")
    zone = "Europe/Berlin"

    @classmethod
    def _create(cls, model_class: type[CallListEntry], *args: Any, **kwargs: Any) -> CallListEntry:
        entry = super()._create(model_class, *args, **kwargs)
        PointFactory(contact=entry.contact, kind=ContactPoint.Kind.PHONE, value=entry.number)
        if entry.zone not in entry.call_list.zones:
            entry.call_list.zones = [*entry.call_list.zones, entry.zone]
            entry.call_list.save(update_fields=["zones"])
        return entry
