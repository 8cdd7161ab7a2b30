"""Pictures drawn anew."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image, PngImagePlugin

from core import pictures
from core.pictures import PictureUnreadable, redraw


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


SHOWN = """
import runpy, sys
from PIL import Image
def opened(*_given, **_options):
    print(open("/proc/self/status").read(), open("/proc/self/limits").read())
    raise SystemExit
Image.open = opened
sys.argv = [{path!r}, "64"]
runpy.run_path({path!r}, run_name="__main__")
"""


def test_a_picture_is_opened_by_a_confined_process():
    """S-19: tests/core/test_seclusion.py tells what that means."""
    command = [sys.executable, "-I", "-c", SHOWN.format(path=pictures.__file__)]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, input="").stdout
    assert re.search(r"^Seccomp:\s+2$", shown, re.MULTILINE)
    assert re.search(rf"^Max cpu time\s+{pictures.SECONDS}\s", shown, re.MULTILINE)
    assert re.search(rf"^Max address space\s+{pictures.MEMORY}\s", shown, re.MULTILINE)
