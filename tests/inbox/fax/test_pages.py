"""TIFF and PDF become pages: every sort that fax machines make, and every sort that attackers make (S-19, S-21)."""

from __future__ import annotations

import io
import os
import random
import re
import shutil
import subprocess
import tempfile
import time

import pytest
from PIL import Image, ImageChops, ImageOps

from inbox.channels.fax.pages import rendering, tiff, worker
from tests.inbox.fax import sheets

pytestmark = pytest.mark.once

TALL = pytest.approx(1400 * 297 / 215, rel=0.05)


def picture(page) -> Image.Image:
    return Image.open(io.BytesIO(page.picture)).convert("L")


def looks_like(page, drawn: Image.Image) -> bool:
    """The page shows the drawing: the mean of the differences is small."""
    wanted = drawn.convert("L").resize((page.width, page.height), Image.Resampling.LANCZOS)
    shades = ImageChops.difference(picture(page), wanted).histogram()
    return sum(shade * count for shade, count in enumerate(shades)) / (page.width * page.height) < 4


@pytest.mark.parametrize(
    ("height", "dpi"),
    [(1145, (204, 98)), (2290, (204, 196)), (4570, (204, 391)), (1145, None)],
    ids=["standard", "fine", "superfine", "standard, not told"],
)
def test_dots_that_are_not_square_are_shown_in_their_shape(height, dpi):
    drawn = sheets.drawing(size=(1728, height))
    result = rendering.read([sheets.tiff(drawn, dpi=dpi)])
    (page,) = result.pages
    assert (result.count, result.refused, result.damaged) == (1, "", False)
    assert (page.width, page.height) == (1400, TALL)
    assert looks_like(page, drawn)
    assert Image.open(io.BytesIO(page.thumb)).size == (160, pytest.approx(160 * 297 / 215, rel=0.05))


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt", "packbits", "tiff_lzw", "raw"])
def test_every_compression_of_fax_machines(compression):
    drawn = sheets.drawing()
    result = rendering.read([sheets.tiff(drawn, compression=compression)])
    assert looks_like(result.pages[0], drawn)
    assert not result.damaged


def test_the_other_byte_order():
    drawn = sheets.drawing("Motorola")
    content = sheets.tiff(drawn, big_endian=True)
    assert content.startswith(b"MM")
    result = rendering.read([content])
    assert (result.count, result.damaged) == (1, False)
    assert looks_like(result.pages[0], drawn)


def test_pages_keep_their_order_and_files_too():
    drawn = [sheets.drawing(f"Page {n}") for n in (1, 2, 3)]
    result = rendering.read([sheets.tiff(*drawn[:2]), sheets.pdf(drawn[2])])
    assert [page.number for page in result.pages] == [1, 2, 3]
    assert all(looks_like(page, each) for page, each in zip(result.pages, drawn, strict=True))


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_of_a_page_that_ends_in_the_middle_the_beginning_is_shown(compression):
    """The directory stands before the data, as many machines write it; half of the lines are missing."""
    whole = sheets.tiff(sheets.drawing(), compression=compression)
    page = tiff.read(whole).pages[0]
    (at, size), rows = page.strips[0], page.rows_a_strip
    first = tiff.single(whole, page, 0, rows, "<")
    start = first.index(whole[at : at + size])
    result = rendering.read([first[: start + size // 2]])
    assert (result.count, len(result.pages), result.damaged) == (1, 1, True)
    shown = picture(result.pages[0])
    assert min(shown.crop((0, 0, 1400, shown.height // 3)).getextrema()) < 60
    assert shown.crop((100, shown.height - 20, 1300, shown.height)).getextrema() == (255, 255)


def test_a_file_cut_in_half_keeps_its_first_pages():
    whole = sheets.three()
    second = tiff.read(whole).pages[1].strips[0][0]
    result = rendering.read([whole[: second + 20]])
    assert result.damaged
    assert result.count == len(result.pages) == 1
    assert looks_like(result.pages[0], sheets.drawing("Page 1"))


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (b"", 0),
        (b"II*\0", 0),
        (b"no fax at all", 0),
        (b"%PDF-1.7\nnothing", 0),
        (sheets.one()[:60], 0),
        (os.urandom(5000), 0),
        (b"II*\0\x08\0\0\0" + os.urandom(5000), 0),
        (sheets.huge(), 1),
        (sheets.many(5000), 5000),
        (sheets.bare_pdf(10_000), 10_000),
    ],
    ids=[
        "empty",
        "head",
        "text",
        "broken pdf",
        "cut",
        "noise",
        "noisy tiff",
        "60000x60000",
        "5000 pages",
        "10000 pages",
    ],
)
def test_bombs_and_rubbish_give_no_page_and_a_reason(content, count):
    """S-19: the answer comes soon, in words, and this process is as it was."""
    began = time.monotonic()
    result = rendering.read([content])
    assert result.pages == []
    assert result.count == count
    assert str(rendering.WORDS[result.refused])
    assert time.monotonic() - began < 20


def test_directories_in_a_circle_end():
    result = rendering.read([sheets.loop()])
    assert (result.count, len(result.pages), result.damaged) == (1, 1, True)


def test_a_tree_of_pages_that_is_its_own_child():
    result = rendering.read([sheets.bare_pdf(3, recursive=True)])
    assert result.pages == []
    assert result.refused in rendering.WORDS


def test_a_gigabyte_of_nothing_does_not_fill_the_memory():
    """A PNG's flood in a TIFF's clothes: few bytes, 40,000 by 40,000 grey dots."""
    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, "TIFF", compression="tiff_lzw")
    content = bytearray(out.getvalue())
    for page in (tiff.read(bytes(content)),):
        assert page.pages[0].width == 8
    import struct

    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from("<H", content, entry)
        if tag in (256, 257):
            struct.pack_into("<HHII", content, entry, tag, 4, 1, 40_000)
    result = rendering.read([bytes(content)])
    assert (result.pages, result.refused) == ([], "unreadable")


def test_a_process_that_takes_too_long_is_stopped_with_its_children(monkeypatch, tmp_path):
    slow = tmp_path / "tesseract"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setattr(rendering, "tesseract", lambda: (str(slow), "eng"))
    monkeypatch.setattr(rendering, "SECONDS", 1)
    result = rendering.read([sheets.one()], ocr_pages=1, ocr_seconds=0)
    assert len(result.pages) == 1, "what was drawn before it hung is kept"
    assert result.refused == "time"
    left = subprocess.run(["pgrep", "-f", str(slow)], capture_output=True, check=False).stdout
    assert left == b""


def test_a_document_is_opened_by_a_confined_process(monkeypatch, tmp_path):
    """S-19, S-21: and so are its children; tests/core/test_seclusion.py tells what that means."""
    tell = tmp_path / "tesseract"
    tell.write_text(f"#!/bin/sh\nexec cat /proc/self/status /proc/self/limits >{tmp_path}/told\n")
    tell.chmod(0o755)
    monkeypatch.setattr(rendering, "tesseract", lambda: (str(tell), "eng"))
    rendering.read([sheets.one()], ocr_pages=1, ocr_seconds=5)
    told = (tmp_path / "told").read_text()
    assert re.search(r"^Seccomp:\s+2$", told, re.MULTILINE)
    assert re.search(rf"^Max address space\s+{worker.MEMORY}\s", told, re.MULTILINE)
    assert re.search(r"^Max cpu time\s+\d+\s", told, re.MULTILINE)


LONG = "\n".join(f"Please send {n} kg of coffee beans to Harbour Street" for n in range(18))


def recoded(content: bytes, compression: str, fill_order: str) -> bytes:
    """As fax programs write it: one strip a page, the directory after it."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'cat >$1/a && tiffcp -c {compression} -f {fill_order} -r 9999 $1/a $1/b && cat $1/b', "-", "."],
        input=content, capture_output=True, check=True, cwd=tempfile.mkdtemp(),
    )  # fmt: skip
    return done.stdout


def begins_like(page, drawn: Image.Image, lines: int = 196) -> bool:
    """The upper half of a page of so many lines an inch shows the drawing: how the last lines end is anybody's guess."""
    half = picture(page).crop((0, 0, page.width, page.height // 2))
    shown = drawn.convert("L").resize((page.width, round(page.width * drawn.height / drawn.width * 204 / lines)))
    shades = ImageChops.difference(half, shown.crop((0, 0, *half.size))).histogram()
    return sum(shade * count for shade, count in enumerate(shades)) / (half.width * half.height) < 4


@pytest.mark.skipif(not shutil.which("tiffcp"), reason="no tiffcp")
@pytest.mark.parametrize("fill_order", ["lsb2msb", "msb2lsb"])
@pytest.mark.parametrize("compression", ["g4", "g3:1d", "g3:2d"])
def test_a_page_whose_directory_is_cut_off_is_shown_as_far_as_it_goes(compression, fill_order):
    drawn = sheets.drawing(LONG, size=(1728, 2290))
    # Pillow's zeros are black and those of fax machines white: the other way round their codes are the same.
    whole = recoded(
        sheets.tiff(ImageOps.invert(drawn.convert("L")).convert("1"), dpi=(204, 196)), compression, fill_order
    )
    with pytest.raises(tiff.TiffUnreadable):
        tiff.read(whole[: len(whole) // 2])
    result = rendering.read([whole[: len(whole) // 2]])
    (page,) = result.pages
    assert (result.damaged, result.count) == (True, 1)
    assert page.height > 700
    assert begins_like(page, drawn)


@pytest.mark.skipif(not shutil.which("tiffcp"), reason="no tiffcp")
@pytest.mark.parametrize(
    "text", [LONG, "请贵公司尽快发送二十公斤过滤器\n订单号 4711，谢谢合作\n" * 8], ids=["Latin", "Chinese"]
)
@pytest.mark.parametrize(("height", "lines"), [(1146, 98), (2292, 196), (4584, 391)])
def test_a_page_that_lost_its_directory_is_shown_in_its_shape(text, height, lines):
    drawn = sheets.drawing(text, size=(1728, 2292)).resize((1728, height))
    whole = recoded(sheets.tiff(drawn, dpi=(204, lines)), "g4", "lsb2msb")
    (page,) = rendering.read([whole[: len(whole) * 3 // 4]]).pages
    assert begins_like(page, drawn, lines)


@pytest.mark.skipif(not shutil.which("tiffcp"), reason="no tiffcp")
def test_the_page_in_which_a_file_of_several_is_cut_is_shown_too():
    pages = [sheets.drawing(f"Page {n}\n{LONG}", size=(1728, 2290)) for n in (1, 2)]
    whole = recoded(sheets.tiff(*pages, dpi=(204, 196)), "g4", "lsb2msb")
    result = rendering.read([whole[: len(whole) * 3 // 4]])
    assert [page.number for page in result.pages] == [1, 2]
    assert result.damaged
    assert result.pages[1].height > 300
    assert begins_like(result.pages[1], pages[1])


@pytest.mark.parametrize("rest", [random.Random(7).randbytes(30_000), b"\0" * 30_000, b"%PDF" * 50])
def test_what_only_begins_like_a_page_is_none(rest):
    result = rendering.read([b"II*\0\0\0\0\0" + rest])
    assert (result.pages, result.refused) == ([], "empty")


@pytest.mark.skipif(not rendering.tesseract()[0], reason="no Tesseract")
def test_a_page_that_was_put_in_upside_down_is_read_all_the_same():
    words = "\n".join(
        ["Please send twenty kilograms of coffee beans", "and six filters to our shop in Harbour Street"] * 6
    )
    sheet = sheets.drawing(words, size=(1728, 2290)).rotate(180)
    result = rendering.read([sheets.tiff(sheet, dpi=(204, 196))], ocr_pages=1, languages="eng")
    assert "twenty kilograms of coffee beans" in result.texts[0]
