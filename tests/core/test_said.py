"""Words that are written by a worker and read by a person."""

from __future__ import annotations

import copy

from django.utils import translation

from core.said import Said, SaidField, said

FIELD = SaidField(max_length=200)
LATE = "It was too late to call it off. %(what)s"
DONE = "Delivered with call %(dials)s. Pages: %(pages)s."


def read(kept: str) -> str | None:
    return FIELD.from_db_value(kept)


def test_what_was_said_is_read_in_the_language_of_its_reader() -> None:
    with translation.override("zh-hans"):
        kept = FIELD.get_prep_value(said(DONE, dials=1, pages=2))
    with translation.override("en"):
        assert read(kept) == "Delivered with call 1. Pages: 2."
    with translation.override("zh-hans"):
        words = read(kept)
    assert words is not None
    assert "2" in words
    assert "Delivered" not in words
    assert FIELD.get_prep_value(words) == kept


def test_words_in_words() -> None:
    kept = FIELD.get_prep_value(said(LATE, what=said(DONE, dials=1, pages=2)))
    assert read(kept) == "It was too late to call it off. Delivered with call 1. Pages: 2."
    with translation.override("zh-hant"):
        words = read(kept)
    assert words is not None
    assert "Delivered" not in words


def test_an_exception_still_knows_what_was_said() -> None:
    assert isinstance(str(ValueError(said(DONE, dials=1, pages=2))), Said)
    assert copy.copy(said(DONE, dials=1, pages=2)).values == {"dials": 1, "pages": 2}


def test_other_text_is_kept_as_it_is_and_never_taken_for_ours() -> None:
    assert read("250 2.0.0 Ok: 100 %(n)s") == "250 2.0.0 Ok: 100 %(n)s"
    forged = "\x1e\x1e" + '["%(n)0999999999d",{"n":1}]'
    assert read(FIELD.get_prep_value(forged)) == forged[2:]


def test_too_long_is_kept_as_text() -> None:
    kept = FIELD.get_prep_value(said("%(host)s says: %(detail)s", host="h" * 500, detail="d" * 500))
    assert len(kept) == 200
    assert read(kept) == "h" * 200


def test_values_are_on_one_line() -> None:
    assert said("%(host)s says: %(detail)s", host="a\r\nb", detail="c\x00\ud800d") == "a b says: c ?d"
