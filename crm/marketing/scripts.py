"""A script as it is said to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core import merge_fields
from crm.customers.models import Contact
from crm.marketing.models import CallList, CallScript
from crm.organisation.models import User

FIELDS = {
    "contact.name": _("Name of the person"),
    "contact.title": _("Job title of the person"),
    "customer.name": _("Name of the company"),
    "agent.name": _("Name of the colleague who calls"),
    "list.name": _("Name of the call list"),
}
"""The merge fields, each with what it stands for."""
SAMPLE = {
    "contact.name": "Anna Schmidt",
    "contact.title": "Owner",
    "customer.name": "Kaffeehaus Schmidt",
    "agent.name": "Lin Mei",
    "list.name": "Spring service",
}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A script in one language, its fields filled in. Plain text."""

    language: str
    opening: str
    steps: tuple[tuple[str, str], ...]
    """Question and hint."""
    closing: str


UNKNOWN = "…"


def spoken(
    script: CallScript, *, agent: User, contact: Contact | None = None, call_list: CallList | None = None
) -> Spoken | None:
    """The script in the contact's language, else the colleague's, else English, else any; None without a text."""
    texts = {text.language: text for text in script.texts.all()}
    order = [contact.language if contact else "", agent.language, settings.LANGUAGE_CODE, "en", *texts]
    language = next((name for name in order if name in texts), "")
    if not language:
        return None
    return filled(
        language,
        texts[language].opening,
        [(step.question, step.hint) for step in script.steps.all() if step.language == language],
        texts[language].closing,
        fields(agent, contact, call_list),
    )


def fields(agent: User, contact: Contact | None, call_list: CallList | None) -> dict[str, str]:
    """The values of `FIELDS`; a name that nobody knows yet is a gap to be filled by whoever speaks."""
    customer = contact.customer if contact else None
    return {
        "contact.name": contact.name if contact else UNKNOWN,
        "contact.title": contact.title if contact else "",
        "customer.name": customer.name if customer else UNKNOWN,
        "agent.name": str(agent),
        "list.name": call_list.name if call_list else "",
    }


def filled(
    language: str, opening: str, steps: list[tuple[str, str]], closing: str, values: Mapping[str, str]
) -> Spoken:
    """The texts with their fields filled in."""
    return Spoken(
        language,
        merge_fields.render(opening, values),
        tuple((merge_fields.render(question, values), merge_fields.render(hint, values)) for question, hint in steps),
        merge_fields.render(closing, values),
    )
