"""Attachments and mail bombs from the mailbox to the download (S-16, S-17, S-19, S-20, S-25)."""

from __future__ import annotations

import base64
import gzip
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from inbox import downloads
from inbox.models import Attachment, Channel, RawMessage
from inbox.services import files
from portal.keys import local_key
from tests.inbox.test_reading_limits import HEAVY
from tests.security.conftest import entered

Receive = Callable[[bytes], RawMessage]
HEAD = b"From: Anna <anna@schmidt.test>\r\nTo: support@example.com\r\nSubject: Files\r\nMIME-Version: 1.0\r\n"


def with_files(*parts: tuple[bytes, bytes]) -> bytes:
    """A mail with these parts: lines of their headers as they are, and contents."""
    body = b"".join(
        b"--b\r\n" + head + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(content)
        for head, content in parts
    )
    return (
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee the files.\r\n" + body + b"--b--\r\n"
    )


def png(width: int, height: int) -> bytes:
    """A picture that claims this size; its rows are missing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + chunk(b"IEND", b"")
    )


def nested_zip() -> bytes:
    content = bytes(5_000_000)
    for level in range(5):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(f"{level}.zip", content)
        content = file.getvalue()
    return content


NAMES = {
    b"../../x.txt": "x.txt",
    rb"..\\..\\x.txt": "x.txt",
    b"/etc/passwd": "passwd",
    b".env": "env",
    b"CON": "CON",
    b"a\x00.png": "a.png",
    b"=?utf-8?q?=E2=80=8B.htaccess?=": "htaccess",
    b"=?utf-8?q?photo=E2=80=AEgnp.exe?=": "photognp.exe",
    b"=?utf-8?q?x=22=3B_filename=3D=22evil.html?=": 'x"; filename="evil.html',
    b"=?utf-8?q?a=0D=0AX-Bad=3A_y.txt?=": None,
    b"n" * 400 + b".txt": "n" * 146 + ".txt",
}
"""Name in the mail → name of the download; None: only harmless."""


def test_names_of_files_are_cleaned_and_never_a_path(receive: Receive, agent: Any, anna: Any) -> None:
    parts = [(b'Content-Type: text/html; name="%s"' % name, b"<script>__xss=1</script>") for name in NAMES]
    raw = receive(with_files(*parts))
    kept = list(Attachment.objects.filter(message__ticket=raw.ticket).order_by("pk"))
    assert len(kept) == len(NAMES)
    for file, expected in zip(kept, NAMES.values(), strict=True):
        for client, address in ((entered(agent), "/desk/inbox/files/%s/"), (entered(anna), "/my/files/%s/")):
            answer = client.get(address % file.pk)
            assert b"".join(answer.streaming_content) == b"<script>__xss=1</script>"
            told = message_from_string(f"Content-Disposition: {answer['Content-Disposition']}\n\n")
            name = told.get_filename() or ""
            assert told.get_content_disposition() == "attachment"
            assert "X-Bad" not in answer
            assert name == expected or expected is None, file.name
            assert name and not name.startswith(".") and not set(name) & set("/\\\r\n\x00\u202e\u200b")
            ending = Path(name).suffix.lower()
            assert answer["Content-Type"] == downloads._TYPES.get(ending, "application/octet-stream")
            assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
            assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "kind",
    [
        b"text/html",
        b"image/svg+xml; charset=x",
        b"application/xhtml+xml",
        b"text/xml",
        b"image/png",
        b"text/html\r\n X: y",
        b'text/html; x="\r\n\r\n<script>"',
        b"multipart/related",
        b"message/rfc822",
        b"nonsense",
    ],
)
def test_a_claimed_type_never_reaches_the_browser(kind: bytes, receive: Receive, agent: Any) -> None:
    head = b"Content-Type: " + kind + b'\r\nContent-Disposition: attachment; filename="page.html"'
    raw = receive(with_files((head, b"<script>__xss=1</script>")))
    client = entered(agent)
    for file in Attachment.objects.filter(message__ticket=raw.ticket):
        answer = client.get(f"/desk/inbox/files/{file.pk}/")
        assert b"".join(answer.streaming_content) == b"<script>__xss=1</script>"
        assert answer["Content-Type"] in ("application/octet-stream", "message/rfc822", "text/plain; charset=utf-8")
        assert answer["Content-Disposition"].startswith("attachment")
        assert client.get(f"/desk/inbox/files/{file.pk}/preview/").status_code == 404
        assert client.get(f"/desk/inbox/files/{file.pk}/look/").status_code == 200
    assert client.get(f"/desk/inbox/{raw.ticket.number}/").status_code == 200


def test_bombs_are_kept_as_they_are_and_never_unpacked(receive: Receive, agent: Any) -> None:
    bombs = {
        "flood.png": (b"image/png", png(60_000, 60_000)),
        "empty.png": (b"image/png", b""),
        "fax.tiff": (b"image/tiff", gzip.compress(bytes(3_000_000))),
        "fax.bmp": (b"image/bmp", b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0)),
        "nested.zip": (b"application/zip", nested_zip()),
        "entity.docx": (b"application/vnd.ms-word", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
        "loop.pdf": (b"application/pdf", b"%PDF-1.7\n1 0 obj<</Type/Pages/Kids[1 0 R]/Count 10000>>endobj"),
    }  # fmt: skip
    raw = receive(with_files(*((b'Content-Type: %s; name="%s"' % (k, n.encode()), c) for n, (k, c) in bombs.items())))
    client = entered(agent)
    page = client.get(f"/desk/inbox/{raw.ticket.number}/")
    assert page.status_code == 200
    for file in Attachment.objects.filter(message__ticket=raw.ticket):
        assert files.read_blob("attachments", file.blob) == bombs[file.name][1]
        assert file.name in page.content.decode()
        assert client.get(f"/desk/inbox/files/{file.pk}/preview/").status_code == 404
        assert client.get(f"/desk/inbox/files/{file.pk}/look/").status_code == 200
    assert Attachment.objects.filter(message__ticket=raw.ticket).count() == len(bombs)


def test_heavy_mail_is_kept_shown_as_partly_unreadable_and_stops_nobody(receive: Receive, agent: Any) -> None:
    """The next mail is posted, nothing is tried again, the bytes are there, and the agent is told (S-20)."""
    client = entered(agent)
    for name in ("nested 10,000 deep", "100,000 parts", "100,000 headers", "base64 garbage", "5,000 recipients"):
        content, said = HEAVY[name]
        raw = receive(content.replace(b"\n", b"\r\n"))
        assert (raw.state, raw.outcome, raw.attempts) == ("done", "opened", 1), name
        assert files.read_blob("raw", raw.blob) == content.replace(b"\n", b"\r\n")
        page = client.get(f"/desk/inbox/{raw.ticket.number}/").content.decode()
        assert ("Partly unreadable" in page) == bool(said), name
    after = receive(HEAD + b"\r\nA plain mail.\r\n")
    assert (after.outcome, after.message.text.strip()) == ("opened", "A plain mail.")


@pytest.mark.parametrize("charset", ["utf-7", "unknown-8bit", "bogus", "\x00", "utf-16", "x" * 5000])
def test_odd_charsets_are_no_fault(charset: str, receive: Receive, agent: Any) -> None:
    head = HEAD + f"Content-Type: text/html; charset={charset}\r\n\r\n".encode()
    raw = receive(head + b"+ADw-script+AD4-__xss=1+ADw-/script+AD4- \xff\xfe<b>ok</b>\r\n")
    assert raw.outcome == "opened"
    answer = entered(agent).get(f"/desk/inbox/messages/{raw.message.pk}/frame/")
    assert answer.status_code == 200
    assert b"<script" not in answer.content


def test_files_and_folders_are_of_the_owner_alone(receive: Receive, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "var" / "files")
    mask = os.umask(0o022)
    try:
        receive(with_files((b'Content-Type: text/plain; name="a.txt"', b"x")))
    finally:
        os.umask(mask)
    found = [tmp_path / "var" / "files", *(tmp_path / "var" / "files").rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in found}
    assert modes == {(True, 0o700), (False, 0o600)}
    assert not [path for path in found if "a.txt" in path.name]


def test_a_new_database_is_its_owners_alone(tmp_path: Path, django_db_blocker: Any) -> None:
    """S-25: whatever the mask of the process is, and with the log that lies beside it."""
    path = tmp_path / "fresh.sqlite3"
    options = {"init_command": "PRAGMA journal_mode=WAL"}
    connections.databases["fresh"] = connections.configure_settings(
        {"default": {}, "fresh": {"ENGINE": "core.sqlite3", "NAME": path, "OPTIONS": options}}
    )["fresh"]
    mask = os.umask(0o022)
    try:
        with django_db_blocker.unblock(), connections["fresh"].cursor() as cursor:
            cursor.execute("CREATE TABLE word (it TEXT)")
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.glob("fresh.sqlite3*")}
            connections["fresh"].close()
    finally:
        os.umask(mask)
        del connections["fresh"], connections.databases["fresh"]
    assert modes == {"fresh.sqlite3": 0o600, "fresh.sqlite3-wal": 0o600, "fresh.sqlite3-shm": 0o600}


def test_the_folder_of_a_try_out_is_its_owners_alone(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        local_key(tmp_path / "var", "SECRET_KEY")
    finally:
        os.umask(mask)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "var").rglob("*")}
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700
    assert modes == {"keys": 0o700, "secret_key": 0o600}


def test_a_stored_name_cannot_lead_out_of_the_folder(channel: Channel) -> None:
    for name in ("../raw/x", "/etc/passwd", "ab/../../../../etc/passwd"):
        with pytest.raises(FileNotFoundError):
            files.open_blob("attachments", name)
    assert Path(settings.MEDIA_ROOT).name == "files"
