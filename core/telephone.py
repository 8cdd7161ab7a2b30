"""Telephone and fax numbers as people read them."""

from __future__ import annotations

import re

import phonenumbers

_NUMBER = re.compile(r"\+[\d \u00a0()./\-]+", re.ASCII)


def spaced(number: str) -> str:
    """`+49 30 9018`; what is no number stays as it is, also a mail address with one in it."""
    if not _NUMBER.fullmatch(number):
        return number
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number
