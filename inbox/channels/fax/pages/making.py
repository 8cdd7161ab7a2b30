"""A cover, a text and files become the pages of one fax, as two-level pictures: what is previewed is what is dialled.

Runs in the limited process of `worker` only. Nothing is fetched and no file is opened but the font (S-21).
"""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageOps

from inbox.channels.fax.pages import opening
from inbox.channels.fax.pages.layout import DOWN, HEIGHT, WIDTH, Sheets

LINES = 2292
"""Lines of an A4 page at the fine resolution of 196 lines an inch (T.4)."""
RESOLUTION = (204, 196)
INK = 150
"""Grey below which a dot is black."""
PHOTO = 0.06
"""So many dots between black and white make a page a photograph, which is dithered."""


class FileRefused(Exception):
    """One of the files cannot be sent: its number, and a short word for `rendering.WORDS`."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(why)
        self.number, self.why = number, why


def make(order: dict[str, Any], files: list[bytes]) -> opening.Found:
    """`start`, `page` and `thumb` as `opening.read` tells them, and last the `document`; or `refused`."""
    Image.MAX_IMAGE_PIXELS = opening.PIXELS
    try:
        pages = _pages(order, files)
    except FileRefused as no:
        yield {"what": "refused", "why": no.why, "file": no.number}, b""
        return
    if len(pages) > order["most"]:
        yield {"what": "refused", "why": "too-many"}, b""
        return
    yield {"what": "start", "pages": len(pages), "damaged": False}, b""
    for number, page in enumerate(pages, 1) if order["width"] else ():
        width = order["width"]
        shown = page.convert("L").resize((width, round(width * DOWN)), Image.Resampling.LANCZOS)
        yield {"what": "page", "number": number, "width": shown.width, "height": shown.height}, opening.png(shown)
        small = shown.resize((opening.THUMB, round(opening.THUMB * DOWN)), Image.Resampling.BOX)
        yield {"what": "thumb", "number": number}, opening.png(small)
    yield {"what": "document"}, _document(pages, order["form"])


def _pages(order: dict[str, Any], files: list[bytes]) -> list[Image.Image]:
    most = order["most"]
    kinds = [each["kind"] for each in order["files"]]
    attached: list[Image.Image] = []
    for number, (kind, content) in enumerate(zip(kinds, files, strict=True)):
        if kind == "text":
            attached += _written(order, content.decode("utf-8", "replace"), most)
        else:
            attached += _attached(number, kind, content, most)
        if len(attached) > most:
            raise FileRefused(number, "too-many")
    cover, text, mark = order["cover"], order["text"], order["pages_mark"]

    def front(count: int) -> list[Image.Image]:
        sheets = Sheets(order["font"], order["form_of_signs"], most)
        if cover:
            sheets.cover(cover.replace(mark, str(count)))
        sheets.write(text)
        return [_two_levels(sheet) for sheet in sheets.done(count - len(attached) if count else 0, count)]

    first = front(0)
    if not cover and not text.strip():
        return attached
    return [*front(len(first) + len(attached)), *attached]


def _written(order: dict[str, Any], text: str, most: int) -> list[Image.Image]:
    sheets = Sheets(order["font"], order["form_of_signs"], most)
    sheets.write(text)
    return [_two_levels(sheet) for sheet in sheets.done(0, 0)]


def _attached(number: int, kind: str, content: bytes, most: int) -> list[Image.Image]:
    if kind == "picture":
        try:
            with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
                if opened.width * opened.height > opening.PIXELS:
                    raise FileRefused(number, "too-large")
                turned = ImageOps.exif_transpose(opened).convert("RGBA")
        except (OSError, ValueError, SyntaxError, Warning, ArithmeticError, Image.DecompressionBombError) as why:
            raise FileRefused(number, "unreadable") from why
        white = Image.new("RGBA", turned.size, "white")
        return [_fitted(Image.alpha_composite(white, turned).convert("L"), margin=60)]
    document = opening._Tiff(content) if kind == "tiff" else opening._Pdf(content)
    if document.damaged or not len(document):
        raise FileRefused(number, "unreadable")
    if len(document) > most:
        raise FileRefused(number, "too-many")
    try:
        return [_fitted(document.page(index, WIDTH)[0]) for index in range(len(document))]
    except opening.PageRefused as why:
        raise FileRefused(number, str(why)) from why


def _fitted(picture: Image.Image, margin: int = 0) -> Image.Image:
    """The picture on one sheet, as large as fits, upright."""
    if picture.width > picture.height * 1.1:
        picture = picture.rotate(90, expand=True)
    room = WIDTH - 2 * margin, HEIGHT - 2 * margin
    scale = min(room[0] / picture.width, room[1] / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    sheet = Image.new("L", (WIDTH, HEIGHT), 255)
    sheet.paste(picture.resize(size, Image.Resampling.LANCZOS), ((WIDTH - size[0]) // 2, margin))
    return _two_levels(sheet)


def _two_levels(sheet: Image.Image) -> Image.Image:
    """In the lines of a fax, black and white: letters by a threshold, photographs by dots."""
    squeezed = sheet.resize((WIDTH, LINES), Image.Resampling.LANCZOS)
    shades = squeezed.histogram()
    between = sum(shades[64:192]) / (WIDTH * LINES)
    if between > PHOTO:
        return squeezed.convert("1", dither=Image.Dither.FLOYDSTEINBERG)
    return squeezed.point(lambda v: 255 if v >= INK else 0).convert("1", dither=Image.Dither.NONE)


def _document(pages: list[Image.Image], form: str) -> bytes:
    out = io.BytesIO()
    first, *others = pages
    if form == "pdf":
        first.save(out, "PDF", save_all=True, append_images=others, dpi=RESOLUTION, title="Fax", producer="Guichet")
    else:
        first.save(out, "TIFF", save_all=True, append_images=others, compression="group4", dpi=RESOLUTION)
    return out.getvalue()
