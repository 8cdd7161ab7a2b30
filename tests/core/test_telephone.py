"""Numbers as people read them."""

from __future__ import annotations

import pytest

from core.telephone import spaced


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+494012345678", "+49 40 12345678"),
        ("+8613912345678", "+86 139 1234 5678"),
        ("+49 (30) 9018", "+49 30 9018"),
        ("0301234567", "0301234567"),
        ("21", "21"),
        ("anonymous", "anonymous"),
        ("anna+494012345678@example.org", "anna+494012345678@example.org"),
        ("+494012345678@fax.example.org", "+494012345678@fax.example.org"),
        ("+" + "9" * 40, "+" + "9" * 40),
        ("", ""),
    ],
)
def test_a_number_is_spaced_and_nothing_else(number: str, shown: str) -> None:
    assert spaced(number) == shown
