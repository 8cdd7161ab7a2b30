"""Fax numbers: one spelling for +86…, 0086… and 0…, and how each line wants them dialled."""

from __future__ import annotations

import re

import phonenumbers

from crm.customers import numbers

MOST = 40
SHORTEST = 6
"""Signs of a number that can be called from outside; shorter ones are extensions."""
WRITTEN = re.compile(r"[ \u00a0]*\+?[\d \u00a0()./\-]+")
"""How people write one number."""


def spelled(text: str, region: str) -> str:
    """E.164 (`+4940123456`); empty when it is no number."""
    text = text.strip()
    if len(text) > MOST or sum(sign.isdigit() for sign in text) < SHORTEST:
        return ""
    return numbers.one(text, region)


def shown(text: str, region: str) -> str:
    """As people read it: `+49 40 123456`; what is no number stays as it is."""
    number = spelled(text, region)
    if not number:
        return " ".join(text.split())[:MOST]
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def dialled(number: str, *, how: str, region: str, prefix: str = "") -> str:
    """What the modem dials: `national` within the region (else 00…), `international` 00…, or `plus` as it is."""
    parsed = phonenumbers.parse(number)
    digits = number.lstrip("+")
    if how == "plus":
        return prefix + number
    if how == "national" and region and parsed.country_code == phonenumbers.country_code_for_region(region):
        national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        return prefix + re.sub(r"\D", "", national)
    return f"{prefix}00{digits}"


def in_address(number: str, pattern: str, region: str) -> str:
    """The mail address of a gateway for this number: `{number}` digits with country code, `{plus}`, `{national}`."""
    national = dialled(number, how="national", region=region)
    values = {"{number}": number.lstrip("+"), "{plus}": number, "{national}": national}
    for name, value in values.items():
        pattern = pattern.replace(name, value)
    return pattern
