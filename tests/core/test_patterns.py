"""Patterns that people write (S-67)."""

import time

import pytest

from core.patterns import MAX_TEXT, Pattern, PatternInvalid, plain


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("a" * 1001, "at most 1000 characters"),
        (r"(a)\1", "invalid escape sequence"),
        ("(?<=a)b", "invalid perl operator"),
        ("[", r"missing \]"),
        ("(x{1000}){1000}", "invalid repetition size"),
        ("((a{1,30}){1,30})b", "too large"),
        (r"(\pL|\pN){90}!", "too large"),
    ],
)
def test_what_we_cannot_search_for_is_refused(pattern, words):
    with pytest.raises(PatternInvalid, match=words):
        Pattern(pattern)


def test_finds_without_regard_to_case_or_width():
    assert Pattern("order [0-9]+").find("My ORDER 123") == "ORDER 123"
    assert Pattern("order [0-9]+").find("Ｏｒｄｅｒ １２３") == "Order 123"
    assert Pattern("x").find("y") is None


def test_lone_surrogates_do_no_harm():
    assert Pattern("b").find("a\udce4b") == "b"


def test_only_the_beginning_of_a_long_text_is_searched():
    assert Pattern("x").find("a" * (MAX_TEXT - 1) + "x") == "x"
    assert Pattern("x").find("a" * MAX_TEXT + "x") is None


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y", "(a|b){900}c", "(a?){300}a{300}"]
)
def test_time_is_bounded_whatever_the_pattern(pattern):
    compiled = Pattern(pattern)
    start = time.process_time()
    for text in ("a" * 1_000_000, "ab" * 500_000, "x" * 1_000_000):
        compiled.find(text)
    assert time.process_time() - start < 2


def test_plain_makes_widths_alike_and_stops_when_there_is_enough():
    assert plain("Ｏｒｄｅｒ　１２ ﬁ", 100) == "Order 12 fi"
    assert plain("abc", 2) == "ab"
    assert plain("é" * 20_000, 100_000) == "é" * 20_000
    start = time.process_time()
    assert len(plain("\ufdfa" * 1_000_000, 100_000)) == 100_000  # one character becomes eighteen
    assert time.process_time() - start < 0.5
