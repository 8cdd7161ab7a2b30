"""What README promises is what the settings know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

BASE = Path(__file__).resolve().parent.parent.parent


def test_the_configuration_table_names_exactly_the_settings():
    source = (BASE / "portal" / "settings.py").read_text("utf-8")
    known = set(re.findall(r'(?:env\.\w+|_secret)\(\s*"([A-Z_]+)"', source))
    table = (BASE / "README.md").read_text("utf-8").partition("## Configuration")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)
    assert sorted(told) == sorted(set(told))
    assert set(told) == known


def test_links_of_the_documents_lead_somewhere():
    pages = [*BASE.glob("*.md"), *(BASE / "docs").rglob("*.md")]
    assert len(pages) > 5
    broken = [
        f"{page.relative_to(BASE)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
