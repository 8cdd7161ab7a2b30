"""Telephone numbers as systems send them, in one spelling.

A system may send `+49 30 9018`, `0049309018`, `0309018` or, as Zammad's examples do, `49309018`: international without
a sign. Only the region tells the last from a national number, so several readings are possible and come in order.
"""

from __future__ import annotations

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat

SHORTEST = 5
"""Digits; what is shorter is an extension or a service, and nobody's number."""


def readings(text: str, region: str = "") -> list[str]:
    """What `text` can mean, in E.164, the likeliest first; empty for `anonymous`, an extension or no number at all."""
    text = text.strip().removeprefix("tel:").partition(";")[0].partition("@")[0].removeprefix("sip:")
    digits = "".join(sign for sign in text if sign.isdigit())
    if len(digits) < SHORTEST or len(text) > 40 or any(sign.isalpha() for sign in text):
        return []
    national = region.upper() or None
    asked = [(text, national)] if text.startswith("+") or national else []
    if not text.startswith("+"):
        asked.append((f"+{digits.removeprefix('00')}", None))
    found = [number for number in (_parse(*one) for one in asked) if number is not None]
    # Not as the people of the region would write it, with the 0 of their long-distance calls: international then.
    if len(found) > 1 and not digits.startswith("0") and _written(found[0]) != digits:
        found.reverse()
    # A number that is in use somewhere before one that is only long enough; the order among equals stays.
    found.sort(key=lambda number: not phonenumbers.is_valid_number(number))
    return list(dict.fromkeys(phonenumbers.format_number(each, PhoneNumberFormat.E164) for each in found))


def one(text: str, region: str = "") -> str:
    """The likeliest reading, or an empty text."""
    found = readings(text, region)
    return found[0] if found else ""


def _written(number: PhoneNumber) -> str:
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return "".join(sign for sign in national if sign.isdigit())


def _parse(text: str, region: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None
