"""Pictures drawn anew."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image, PngImagePlugin

from core import pictures
from core.pictures import PictureUnreadable, redraw
from tests.processes import BASE


def picture(mode: str = "RGB", size: tuple[int, int] = (400, 300), kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 128 if mode in ("L", "1") else None).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_pixels_come_through_and_nothing_else(kind):
    content = picture(kind=kind)
    made, drawn = redraw(content + b"<script>alert(1)</script>", 100)
    assert made in ("image/png", "image/jpeg")
    image = Image.open(io.BytesIO(drawn))
    assert image.size == (100, 75)
    assert b"script" not in drawn


def test_words_inside_a_picture_are_left_out():
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", "<script>secret place</script>")
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    for content in (picture(pnginfo=note), picture(kind="JPEG", exif=exif)):
        assert b"secret place" in content
        assert b"secret place" not in redraw(content)[1]


def test_transparency_stays():
    kind, drawn = redraw(picture("RGBA", (600, 600)))
    assert kind == "image/png"
    assert Image.open(io.BytesIO(drawn)).mode == "RGBA"


def flood(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that claims to be huge (S-19)."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 10_000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.4",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        flood(60_000, 60_000),
        flood(2**31 - 1, 1),
        picture(kind="TIFF"),
        picture(kind="PNG")[:200],
    ],
    ids=["empty", "text", "svg", "pdf", "gif", "png", "flood", "wide", "tiff", "half"],
)
def test_what_is_no_picture_of_ours_is_refused(content):
    with pytest.raises(PictureUnreadable):
        redraw(content)


def test_a_file_that_is_too_large_is_not_even_tried(monkeypatch):
    monkeypatch.setattr(pictures, "BYTES", 10)
    with pytest.raises(PictureUnreadable, match="too large"):
        redraw(picture())


def test_a_decoder_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(pictures, "SECONDS", 0.01)
    with pytest.raises(PictureUnreadable, match="too long"):
        redraw(picture())


SCRIPT = """
import ctypes, json, os, socket, sys
sys.path.insert(0, {base!r})
from core import pictures
pictures.limit()
libc = ctypes.CDLL(None, use_errno=True)
found = {{}}
for what, work in (
    ("socket", lambda: socket.socket()),
    ("pair", lambda: socket.socketpair()),
    ("memory", lambda: bytearray(2_000_000_000)),
    ("files", lambda: [open("/dev/null") for _ in range(30)]),
    ("ring", lambda: libc.syscall(425, 4, ctypes.create_string_buffer(120)) < 0 and os.strerror(ctypes.get_errno())),
    ("x32", lambda: libc.syscall(0x40000029, 2, 1, 0) < 0 and os.strerror(ctypes.get_errno())),
):
    try:
        found[what] = str(work())
    except BaseException as why:
        found[what] = type(why).__name__
print(json.dumps(found), flush=True)
"""


def test_the_process_has_no_network_and_little_of_everything_else():
    """S-19: on Linux; not even by the rings that open sockets of their own, nor by the numbers of another convention."""
    command = [sys.executable, "-I", "-c", SCRIPT.format(base=str(BASE))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env={"PATH": ""})
    assert json.loads(done.stdout) == {
        "socket": "PermissionError",
        "pair": "PermissionError",
        "memory": "MemoryError",
        "files": "OSError",
        "ring": "Operation not permitted",
        "x32": "Operation not permitted",
    }
