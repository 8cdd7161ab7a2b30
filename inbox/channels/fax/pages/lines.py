"""The lines of fax pages: as many as can be decoded, also of a page that no directory tells of any more.

Runs in the limited process of `worker` only.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

from PIL import Image, ImageChops

from inbox.channels.fax.pages import signs, tiff

BLOCK = 16
"""Lines that are looked at together."""
FEWEST = 160
"""Lines that belong together by chance, where random bytes are taken for a page, are fewer."""
TALLEST = 4600
"""Lines of an A4 page at the finest resolution (T.4)."""
USUAL = tiff.Page(width=1728, height=TALLEST, x_resolution=204, y_resolution=196)
"""How a fax is as a rule, where nothing is known of it (T.4)."""


def decoded(content: bytes, page: tiff.Page, strip: int, rows: int, order: str) -> Image.Image | None:
    """As many lines from the top of the strip as can be decoded; None when there is not one."""
    found = _decoded(content, page, strip, rows, order)
    if found is not None and page.cut and page.photometric == 1:
        # Some decoders end with lines of zeros instead of an error, and a zero is black here.
        last = found.getbbox()
        found = found.crop((0, 0, found.width, last[3] if last else 0)) if not last or last[3] < rows else found
        return found if found.height else None
    low, high = 0, rows
    while found is None and high - low > 1:
        middle = (low + high) // 2
        some = _decoded(content, page, strip, middle, order)
        low, high = (middle, high) if some else (low, middle)
        if high - low <= 1:
            return _decoded(content, page, strip, low, order) if low else None
    return found


def _decoded(content: bytes, page: tiff.Page, strip: int, rows: int, order: str) -> Image.Image | None:
    try:
        one = tiff.single(content, page, strip, rows, order)
        with Image.open(io.BytesIO(one), formats=("TIFF",)) as opened:
            return opened.convert("L")
    except (OSError, ValueError, SyntaxError, Warning, ArithmeticError):
        return None


def lost(content: bytes, document: tiff.Document) -> tuple[tiff.Page, Image.Image] | None:
    """The page that a cut file ends with: its lines are there, and the directory that came after them is not.

    How they are compressed is tried out. Read wrongly, lines have nothing to do with those above them: the way in which
    the most lines belong together is the right one. None when none is good.
    """
    there = len(content) - document.end
    if there < FEWEST:
        return None
    known = next((page for page in reversed(document.pages) if page.is_fax), None)
    tried = replace(known or USUAL, height=TALLEST, rows_a_strip=TALLEST, strips=((document.end, there),), cut=True)
    best, most = None, FEWEST
    for page in _ways(tried):
        picture = decoded(content, page, 0, TALLEST, document.order)
        rows = _belonging(picture) if picture else 0
        if picture is not None and rows > most:
            best, most = (replace(page, height=rows), picture.crop((0, 0, page.width, rows))), rows
    if best is None:
        return None
    page, picture = best
    if picture.histogram()[0] > picture.width * picture.height / 2:
        picture = ImageChops.invert(picture)
    return (page if known else replace(page, y_resolution=signs.lines_an_inch(picture))), picture


def _ways(page: tiff.Page) -> Iterator[tiff.Page]:
    for compression, options in ((4, 0), (3, 0), (3, 1)):
        for fill_order in (2, 1):
            yield replace(page, compression=compression, options=options, fill_order=fill_order, photometric=0)


def _belonging(picture: Image.Image) -> int:
    """So many lines from the top are alike their neighbours, as those of letters and rules are; 0 when few are."""
    rows, width, all_across, all_down = 0, picture.width, 0, 0
    for top in range(0, picture.height - BLOCK, BLOCK):
        block = picture.crop((0, top, width, top + BLOCK + 1))
        across = _changes(block.crop((1, 0, width, BLOCK)), block.crop((0, 0, width - 1, BLOCK)))
        down = _changes(block.crop((0, 1, width, BLOCK + 1)), block.crop((0, 0, width, BLOCK)))
        # A rule from margin to margin changes every dot, above it and below.
        if down > 4 * across + 3 * width:
            break
        all_across, all_down = all_across + across, all_down + down
        if across:
            rows = top + BLOCK
    # On coarse pages of Chinese signs there is more than twice as much.
    return rows if all_down <= 3 * all_across else 0


def _changes(one: Image.Image, other: Image.Image) -> int:
    return ImageChops.difference(one, other).histogram()[255]
