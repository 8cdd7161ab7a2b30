"""What a system means by the digits that it sends."""

from __future__ import annotations

import pytest

from crm.customers import numbers


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+49 30 90180", "CN", "+493090180"),
        ("0049 30 90180", "DE", "+493090180"),
        ("030 90180", "DE", "+493090180"),
        # Written internationally without a sign, as Zammad's examples are, whatever the country.
        ("493090180000", "DE", "+493090180000"),
        ("442079460000", "DE", "+442079460000"),
        ("33142685300", "DE", "+33142685300"),
        ("8613912345678", "DE", "+8613912345678"),
        ("862163298811", "DE", "+862163298811"),
        ("862163298811", "CN", "+862163298811"),
        # Written as the people of the region write it.
        ("13012345678", "CN", "+8613012345678"),
        ("2125551234", "US", "+12125551234"),
        ("12125551234", "US", "+12125551234"),
        ("0212345678", "FR", "+33212345678"),
        ("612345678", "ES", "+34612345678"),
        ("anonymous", "DE", ""),
        ("101", "DE", ""),
    ],
)
def test_the_likeliest_reading(text: str, region: str, number: str) -> None:
    assert numbers.one(text, region) == number


def test_the_other_reading_comes_after_it() -> None:
    assert numbers.readings("442079460000", "DE") == ["+442079460000", "+49442079460000"]
