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
    later = r"\|\s*(safe|safeseq|urlize\w*|truncate\w+_html|cut|striptags)\b|\{%\s*autoescape\s+off"
    assert offenders(later, ".html") == []
    assert offenders(r"\b(inner|outer)HTML\s*=[^=]|insertAdjacentHTML|document\.write|srcdoc", ".js") == []


MARKS = {"SafeString", "SafeText", "mark_safe"}
MARKING = {
    "core/html.py": "what it cleaned",
    "core/templatetags/guichet.py": "rows of our own icons",
    "inbox/calls/charts.py": "what an XML writer escaped",
}


def parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def changed_after_cleaning(source: str) -> list[int]:
    """Lines that do something with the result of `clean` or `linkify` but hand it on."""
    tree = ast.parse(source)
    if "core.html" not in source and "from core import html" not in source:
        return []
    above, results = parents(tree), []
    for node in ast.walk(tree):
        own = not isinstance(getattr(node, "func", None), ast.Attribute) or getattr(node.func.value, "id", "") == "html"  # type: ignore[attr-defined]
        if called(node) in ("clean", "linkify") and own:
            results.append(node)
    for result in tuple(results):
        while isinstance(above[result], ast.IfExp):
            result = above[result]
        if isinstance(above[result], ast.Assign):
            names = {target.id for target in above[result].targets if isinstance(target, ast.Name)}  # type: ignore[attr-defined]
            results += [
                n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in names and isinstance(n.ctx, ast.Load)
            ]
    wrong = []
    for result in results:
        while isinstance(above[result], ast.IfExp):
            result = above[result]
        parent = above[result]
        handed_on = isinstance(parent, ast.Return | ast.Assign | ast.Dict) or called(parent) in ("str", "render")
        if not handed_on:
            wrong.append(result.lineno)  # type: ignore[attr-defined]
    return sorted(set(wrong))


@pytest.mark.parametrize(
    "line",
    [
        "body = linkify(text).replace('a', 'b')",
        "body = '<p>' + linkify(text)",
        "body = f'<p>{clean(page)}</p>'",
        "body = clean(page) if page else linkify(page)\n    return re.sub('a', 'b', body)",
        "body = clean(page)\n    return body % page",
        "body = clean(page)\n    return mark(body)",
        "return clean(page)[:100]",
    ],
)
def test_a_change_after_cleaning_is_seen(line: str) -> None:
    assert changed_after_cleaning(f"from core.html import clean, linkify\ndef show(page):\n    {line}\n") != []


def test_what_was_cleaned_is_only_handed_on() -> None:
    """S-04: no step stands between the sanitiser and the page."""
    # Bodies of several parts are put together when they are read, long before they are cleaned to be shown.
    allowed = {"core/html.py", "inbox/channels/email/reading/bodies.py"}
    found = {str(path.relative_to(ROOT)): changed_after_cleaning(path.read_text()) for path in sources()}
    assert {name: lines for name, lines in found.items() if lines and name not in allowed} == {}


def test_only_what_is_ours_is_marked_as_html() -> None:
    """S-03, S-04: whatever is not written in the source is escaped by `format_html`, or stands in the list."""
    found = []
    for path in sources():
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text())):
            written = isinstance(node, ast.Call) and bool(node.args) and isinstance(node.args[0], ast.Constant)
            if written or (called(node) in MARKS and name in MARKING):
                continue
            if called(node) in {*MARKS, "format_html", "html_safe"}:
                found.append(f"{name}:{node.lineno}")  # type: ignore[attr-defined]
    assert found == []


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
