"""Rules of the house that a machine can hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOMS = ("core", "routing", "crm", "inbox", "portal")
ROOT = Path(settings.BASE_DIR)
LONGEST = 400


def sources(suffix: str = ".py") -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob(f"*{suffix}")):
            if "migrations" not in path.parts:
                yield path


def offenders(pattern: str, suffix: str = ".py", allowed: tuple[str, ...] = ()) -> list[str]:
    found = []
    for path in sources(suffix):
        name = str(path.relative_to(ROOT))
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(pattern, line) and name not in allowed:
                found.append(f"{name}:{number}: {line.strip()}")
    return found


def test_tickets_are_saved_by_the_change_object_alone() -> None:
    allowed = ("crm/service/changes.py", "portal/demo/history.py", "portal/management/commands/make_tickets.py")
    assert offenders(r"\bticket\.save\(|\bTicket\.objects\.[^#]*\.update\(", allowed=allowed) == []


def test_nothing_is_marked_safe_after_cleaning() -> None:
    """What nh3 returned is shown as it is (S-04); a template that marks text safe shows what somebody typed (S-03)."""
    assert offenders(r"\|\s*safe\b|\{%\s*autoescape\s+off", ".html") == []


def test_text_of_users_is_never_a_django_template() -> None:
    assert offenders(r"from django\.template import .*\b(Template|engines|Engine)\b|\.from_string\(") == []


def test_no_file_says_nothing_by_its_name_or_is_too_long() -> None:
    names = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"}
    assert [str(p) for p in sources() if p.name in names] == []
    too_long = {str(p.relative_to(ROOT)): n for p in sources() if (n := len(p.read_text().splitlines())) > LONGEST}
    assert too_long == {}


def test_files_are_private() -> None:
    """S-25: no file of a customer is readable by another account of the machine."""
    assert (settings.FILE_UPLOAD_PERMISSIONS, settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS) == (0o600, 0o700)
    assert offenders(r"\bumask\(") == []


@pytest.mark.parametrize("room", ["core", "routing", "crm", "inbox"])
def test_own_logic_hangs_on_no_signal(room: str) -> None:
    allowed = {("crm/organisation/apps.py", "post_migrate")}
    found = set()
    for path in sources():
        name = str(path.relative_to(ROOT))
        if not name.startswith(room):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("signals"):
                found |= {(name, alias.name) for alias in node.names}
    assert found - allowed == set()
