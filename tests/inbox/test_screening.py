"""The quick pattern never says no where the exact one says yes."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from inbox.channels.email import understanding
from inbox.channels.email.reading.message import parse
from inbox.channels.email.understanding.screening import Screened, wider

pytestmark = pytest.mark.once

MAILS = Path(__file__).parent.parent / "mails"


def screened() -> list[tuple[str, Screened]]:
    modules = [
        importlib.import_module(f"{understanding.__name__}.{m.name}")
        for m in pkgutil.iter_modules(understanding.__path__)
    ]
    return [(f"{m.__name__}.{k}", v) for m in modules for k, v in vars(m).items() if isinstance(v, Screened)]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    found = []
    for path in sorted(MAILS.glob("*.eml")):
        parsed = parse(path.read_bytes())
        found += [parsed.subject, *parsed.text.splitlines(), parsed.text[:3000]]
    return [text for text in found if text]


def test_there_is_something_to_test(texts: list[str]) -> None:
    assert len(screened()) >= 15 and len(texts) > 1000


@pytest.mark.parametrize(("name", "pattern"), screened())
def test_nothing_of_the_corpus_is_lost(name: str, pattern: Screened, texts: list[str]) -> None:
    exact = re.compile(pattern.pattern, re.IGNORECASE)
    assert [t for t in texts if exact.search(t) and not pattern.search(t)] == []


@given(text=st.text(alphabet="ab \n\u00a0é1_", max_size=12))
@pytest.mark.parametrize(
    "pattern",
    [
        r"a{2,3}b",
        r"(?<!b)a(?= )",
        r"\ba\b",
        r"[^\W\d_]+1",
        r"(a|b)\1",
        r"a\s+b",
        r"^a.b$",
        r"[^a]b",
        r"(?:é|a)??b",
        r"\w\S",
    ],
)
def test_the_derived_pattern_is_wider(pattern: str, text: str) -> None:
    if re.search(pattern, text):
        assert re2.search(wider(pattern), text)
