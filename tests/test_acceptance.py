"""docs/acceptance.md tells the truth about which tests there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TEXT = (ROOT / "docs" / "acceptance.md").read_text("utf-8")
ROWS = [line for line in TEXT.splitlines() if re.match(r"\| [SR]-\d\d \|", line)]
NAMED = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")


def names_in(path: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, functions)}


def test_every_test_that_is_named_exists() -> None:
    missing = []
    for file, name in NAMED.findall(TEXT):
        path = ROOT / "tests" / file
        if not path.exists() or (name and name not in names_in(path)):
            missing.append(f"{file}::{name}")
    assert [entry for entry in missing if entry != "tests/test_acceptance.py::"] == []


def test_every_number_has_tests_or_a_reason() -> None:
    assert [row for row in ROWS if not NAMED.search(row) and "not covered because" not in row] == []


def test_every_number_stands_once() -> None:
    numbers = [row[2:6] for row in ROWS]
    assert len(numbers) == len(set(numbers))
    later = {
        number
        for line in TEXT.splitlines()
        if line.startswith("Not built yet")
        for number in re.findall(r"[SR]-\d\d", line)
    }
    assert later & set(numbers) == set()
    # The lists skip every sixth number: those belong to other demands.
    wanted = {f"S-{n:02}" for n in range(1, 90) if n % 6} | {f"R-{n:02}" for n in range(1, 41) if n % 6}
    assert sorted(wanted - set(numbers) - later) == []
