"""The script in the tree is what the sources give, small enough, and asks for the words that the server has."""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path

import pytest

from inbox.channels.chat.texts import TEXTS
from inbox.channels.chat.widget import BUILT

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))
import build_widget

pytestmark = pytest.mark.once

SOURCES = BUILT.parent / "src"


def test_it_is_what_the_sources_give() -> None:
    assert build_widget.build() == BUILT.read_bytes(), "run scripts/build_widget.py"
    assert {path.name for path in SOURCES.glob("*.js")} == set(build_widget.ORDER)


def test_all_that_a_visitor_loads_is_within_ten_thousand_bytes() -> None:
    content = BUILT.read_bytes()
    assert len(gzip.compress(content, 9, mtime=0)) <= 10_000
    # And it loads nothing else: no other script, style, font or picture, no evaluated text.
    script = content.decode()
    assert (
        re.findall(
            r"import\s*\(|importScripts|createElement\(.script|@import|@font-face|url\(|eval\(|new Function", script
        )
        == []
    )
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|document\.cookie|postMessage", script) == []
    )


def test_its_words_are_those_of_the_server() -> None:
    source = "".join(path.read_text() for path in SOURCES.glob("*.js"))
    made = {f"score_{score}" for score in range(1, 6)} | {
        "form_confirm",
        "form_kept",
        "busy",
        "closed",
        "transcript_sent",
        "transcript_confirm",
    }
    asked = set(re.findall(r'\bt\(\s*"(\w+)"\s*[,)]', source))
    assert asked - set(TEXTS) == set()
    quoted = set(re.findall(r'"(\w+)"', source))
    assert set(TEXTS) - quoted - made == set()


@pytest.mark.parametrize(
    ("module", "text", "words"),
    [
        ("page.js", "export const base = 1;\nconst base = 2;\n", "base is declared in page.js and in page.js"),
        ("page.js", 'import { nothing } from "./memory.js";\n', "imports nothing from memory.js"),
        ("page.js", 'import * as all from "./memory.js";\n', "another form"),
    ],
)
def test_modules_that_cannot_be_joined_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, text: str, words: str
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / module).write_text(text)
    monkeypatch.setattr(build_widget, "FOLDER", tmp_path)
    monkeypatch.setattr(build_widget, "ORDER", (module,))
    with pytest.raises(build_widget.WrongModule, match=re.escape(words)):
        build_widget.bundle()
