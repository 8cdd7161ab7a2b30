"""TIFF and PDF to pages. Runs in the limited process of `worker` only.

What is found is told page by page, so that a document that breaks in the middle still shows what came before.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from typing import Any

from PIL import Image

from inbox.channels.fax.pages import lines, tiff

PIXELS = 40_000_000
"""Of one page; a fax at the finest resolution has 15 million."""
LONGEST = 6.0
"""How many times higher than wide a page may be: faxes of a whole roll are cut into pages by the machines."""
THUMB = 160
READING = 1728
"""Dots across a page for Tesseract: those of the fax itself."""
Found = Iterator[tuple[dict[str, Any], bytes]]


class PageRefused(Exception):
    """`str()` is a short word for `rendering.WORDS`."""


def read(order: dict[str, Any], files: list[bytes]) -> Found:
    """`start` with the number of pages, then `page` and `thumb` for each, then `text` where it could be read."""
    Image.MAX_IMAGE_PIXELS = PIXELS
    most, width = order["most"], order["width"]
    documents = [_Tiff(content) if content[:4] in (b"II*\0", b"MM\0*") else _Pdf(content) for content in files]
    count = sum(len(each) for each in documents)
    yield {"what": "start", "pages": count, "damaged": any(each.damaged for each in documents)}, b""
    if count > most:
        yield {"what": "refused", "why": "too-many"}, b""
        return
    number = 0
    for document in documents:
        for index in range(len(document)):
            number += 1
            try:
                picture, whole = document.page(index, width)
            except PageRefused as why:
                yield {"what": "bad", "number": number, "why": str(why)}, b""
                continue
            if not whole:
                yield {"what": "torn", "number": number}, b""
            yield {"what": "page", "number": number, "width": picture.width, "height": picture.height}, png(picture)
            small = picture.resize((THUMB, max(1, round(picture.height * THUMB / picture.width))), Image.Resampling.BOX)
            yield {"what": "thumb", "number": number}, png(small)
    if order.get("ocr"):
        yield from _texts(documents, order)


def _texts(documents: list[_Tiff | _Pdf], order: dict[str, Any]) -> Found:
    number = 0
    for document in documents:
        for index in range(len(document)):
            number += 1
            if number > order["ocr_pages"]:
                return
            try:
                text = document.text(index) or recognise(
                    document.page(index, READING)[0], order["tesseract"], order["ocr"]
                )
            except PageRefused:
                continue
            yield {"what": "text", "number": number}, text.encode("utf-8", "replace")


def recognise(picture: Image.Image, program: str, languages: str) -> str:
    """The words on a page, by Tesseract; empty when it finds none or fails.

    It looks first which way up the page is (`--psm 1`), where it has its `osd` data: sheets are put in upside down.
    """
    sheet = io.BytesIO()
    picture.save(sheet, "PPM")
    done = subprocess.run(
        [program, "stdin", "stdout", "-l", languages, "--psm", "1"],
        input=sheet.getvalue(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"OMP_THREAD_LIMIT": "1", "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        check=False,
    )
    return done.stdout.decode("utf-8", "replace").replace("\x0c", "").strip() if done.returncode == 0 else ""


def png(picture: Image.Image) -> bytes:
    """A grey page with sixteen shades: a third of the size, and nobody sees the difference."""
    shades = Image.frombytes("P", picture.size, picture.convert("L").point(lambda v: (v + 8) // 17).tobytes())
    shades.putpalette([17 * n for n in range(16) for _ in range(3)])
    out = io.BytesIO()
    shades.save(out, "PNG", bits=4, optimize=False, compress_level=6)
    return out.getvalue()


class _Tiff:
    def __init__(self, content: bytes) -> None:
        self._content = content
        try:
            self._document = tiff.read(content)
        except tiff.TiffUnreadable:
            self._document = tiff.Document(damaged=True, order=">" if content[:2] == b"MM" else "<")
        self.damaged = self._document.damaged
        told = not self.damaged or any(page.cut for page in self._document.pages)
        self._lost = None if told else lines.lost(content, self._document)

    def __len__(self) -> int:
        return len(self._document.pages) + bool(self._lost)

    def text(self, _index: int) -> str:
        return ""

    def page(self, index: int, width: int) -> tuple[Image.Image, bool]:
        """The page in greys, `width` wide, in its right shape; and whether all of it is there."""
        if self._lost and index == len(self._document.pages):
            page, picture = self._lost
            return self._shaped(page, picture, width), False
        page = self._document.pages[index]
        if page.width * page.height > PIXELS:
            raise PageRefused("too-large")
        if page.is_fax:
            picture, whole = self._fax(page)
        else:
            picture, whole = self._other(index), not page.cut
        return self._shaped(page, picture, width), whole

    def _shaped(self, page: tiff.Page, picture: Image.Image, width: int) -> Image.Image:
        height = round(width * page.height * page.stretch / page.width)
        if not 0 < height <= width * LONGEST:
            raise PageRefused("shape")
        return picture.convert("L").resize((width, height), Image.Resampling.LANCZOS)

    def _other(self, index: int) -> Image.Image:
        try:
            with Image.open(io.BytesIO(self._content), formats=("TIFF",)) as opened:
                opened.seek(index)
                return opened.convert("L")
        except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Warning, ArithmeticError) as why:
            raise PageRefused("unreadable") from why

    def _fax(self, page: tiff.Page) -> tuple[Image.Image, bool]:
        """Each strip by itself: what one of them lacks does not take the others with it."""
        sheet = Image.new("L", (page.width, page.height), 255)
        whole, got, top = not page.cut, 0, 0
        for strip in range(len(page.strips)):
            rows = min(page.rows_a_strip, page.height - top)
            if rows <= 0:
                break
            part = lines.decoded(self._content, page, strip, rows, self._document.order)
            if part is None or part.height < rows:
                whole = False
            if part is not None:
                sheet.paste(part, (0, top))
                got += part.height
            top += rows
        if not got:
            raise PageRefused("unreadable")
        return sheet, whole


class _Pdf:
    damaged = False

    def __init__(self, content: bytes) -> None:
        import pypdfium2

        self._pages: Any = ()
        try:
            self._pages = pypdfium2.PdfDocument(content)
            self._count = len(self._pages)
        except pypdfium2.PdfiumError:
            self.damaged, self._count = True, 0

    def __len__(self) -> int:
        return self._count

    def text(self, index: int) -> str:
        """The text that the PDF itself holds: better than any recognition."""
        import pypdfium2

        try:
            text: str = self._pages[index].get_textpage().get_text_bounded()
        except (pypdfium2.PdfiumError, IndexError):
            return ""
        return text.replace("\r\n", "\n").strip()[:200_000]

    def page(self, index: int, width: int) -> tuple[Image.Image, bool]:
        """The page in greys, `width` wide."""
        import pypdfium2

        try:
            page = self._pages[index]
            across, down = page.get_size()
            if not (0 < across < 20_000 and 0 < down <= across * LONGEST):
                raise PageRefused("shape")
            scale = width / across
            if width * down * scale > PIXELS:
                raise PageRefused("too-large")
            bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False)
            return bitmap.to_pil().convert("L").resize((width, max(1, round(down * scale)))), True
        except (pypdfium2.PdfiumError, IndexError, ValueError) as why:
            raise PageRefused("unreadable") from why
