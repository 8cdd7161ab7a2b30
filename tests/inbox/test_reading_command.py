"""`manage.py read_mail` says how mails are understood, one JSON object a line, and stores nothing."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

MAIL = (
    b"From: =?utf-8?Q?J=C3=BCrgen?= <jg@shop.example>\nTo: support@guichet.example, Ann <ann@guichet.example>\nSubject: Hi\n"
    b"Date: Tue, 3 Mar 2026 10:15:30 +0100\nMessage-ID: <a@shop.example>\nIn-Reply-To: <b@guichet.example>\nReferences: <b@guichet.example>\n"
    b"Content-Type: text/html; charset=utf-8\n\n<p>Guten Tag<script>alert(1)</script></p>\n"
)
KEYS = [
    "file", "from", "to", "subject", "message_id", "in_reply_to", "references", "date", "text", "html", "reply_text", "attachments",
    "is_auto_reply", "is_bounce", "bounced_addresses", "language", "error",
]  # fmt: skip


def _run(*args: str) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("read_mail", *args, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_one_file(tmp_path: Path) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(MAIL)
    (found,) = _run(str(path))
    assert list(found) == KEYS
    assert found | {"language": ""} == {
        "file": str(path),
        "from": {"name": "Jürgen", "address": "jg@shop.example"},
        "to": [{"name": "", "address": "support@guichet.example"}, {"name": "Ann", "address": "ann@guichet.example"}],
        "subject": "Hi",
        "message_id": "a@shop.example",
        "in_reply_to": "b@guichet.example",
        "references": ["b@guichet.example"],
        "date": "2026-03-03T10:15:30+01:00",
        "text": "Guten Tag",
        "html": "<p>Guten Tag</p>\n",
        "reply_text": "Guten Tag",
        "attachments": [],
        "is_auto_reply": False,
        "is_bounce": False,
        "bounced_addresses": [],
        "language": "",
        "error": None,
    }


def test_a_directory_an_mbox_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.eml").write_bytes(MAIL)
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "b.mbox").write_bytes(
        b"From jg@shop.example Tue Mar  3 10:15:30 2026\nSubject: one\n\n>From the start\n\nFrom jg@shop.example Tue Mar  3 10:15:31 2026\nSubject: two\n\ntext\n"
    )
    found = _run(str(tmp_path))
    assert [(Path(each["file"]).name, each["subject"], each["text"]) for each in found] == [
        ("a.eml", "Hi", "Guten Tag"),
        ("b.mbox#1", "one", "From the start"),
        ("b.mbox#2", "two", "text"),
    ]

    class Input:
        buffer = io.BytesIO(MAIL)

    monkeypatch.setattr("sys.stdin", Input)
    assert [(each["file"], each["subject"]) for each in _run("-")] == [("-", "Hi")]


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(CommandError, match=r"nowhere\.eml: no such file"):
        _run("nowhere.eml")


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty.eml").write_bytes(b"")
    (tmp_path / "odd.eml").write_bytes(bytes(range(256)) * 40)
    empty, odd = _run(str(tmp_path))
    assert (empty["from"], empty["text"], empty["error"]) == (None, "", "The mail is empty.")
    assert odd["from"] is None


def test_a_file_that_cannot_be_read_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.eml", "b.eml"):
        (tmp_path / name).write_bytes(MAIL)
    whole = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "a.eml":
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    locked, good = _run(str(tmp_path))
    assert (locked["from"], good["subject"]) == (None, "Hi")
    assert "Permission denied" in locked["error"]


def test_each_mail_is_one_line_for_whoever_splits_and_whatever_the_terminal_can_show(tmp_path: Path) -> None:
    said = "一\x85二\u2028三\u2029四"
    path = tmp_path / os.fsdecode(b"\xff.eml")
    path.write_bytes(f"From: jg@shop.example\nContent-Type: text/plain; charset=utf-8\n\n{said}".encode())
    for encoding in ("utf-8", "latin-1"):
        out = io.TextIOWrapper(written := io.BytesIO(), encoding, write_through=True)
        call_command("read_mail", str(tmp_path), stdout=out)
        (line,) = written.getvalue().decode(encoding).splitlines()
        found = json.loads(line)
        assert (found["file"], found["text"]) == (str(path), said)
