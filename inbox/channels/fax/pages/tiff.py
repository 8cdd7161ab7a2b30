"""What a TIFF says about its pages (TIFF 6.0, and RFC 3949 for fax), read without decoding anything.

Only sizes and places are read here, every step is bounded, and a directory that points to itself ends. What is cut
off is told: a fax whose second half is missing still has a first page.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_DIRECTORIES = 20_000
MOST_TAGS = 400
MOST_STRIPS = 10_000
FAX = {2: "RLE", 3: "G3", 4: "G4"}
"""Compressions of two-level pages (tag 259)."""
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


class TiffUnreadable(ValueError):
    """No TIFF, or cut off before its first page. `str()` is one of `empty`, `not-tiff`, `cut`."""


@dataclass(frozen=True, slots=True)
class Page:
    """One image directory. Resolutions are dots an inch, 0 when not told."""

    width: int
    height: int
    compression: int = 1
    bits: int = 1
    samples: int = 1
    x_resolution: float = 0.0
    y_resolution: float = 0.0
    photometric: int = 0
    fill_order: int = 1
    options: int = 0
    rows_a_strip: int = 0
    strips: tuple[tuple[int, int], ...] = ()
    """Place and length of each strip."""
    cut: bool = False
    """True when a part of it lies behind the end of the file."""

    @property
    def is_fax(self) -> bool:
        """Two levels, compressed as faxes are."""
        return self.compression in FAX and self.bits == 1 and self.samples == 1

    @property
    def stretch(self) -> float:
        """How many times higher than wide a dot is: 204 by 98 dots an inch gives about 2."""
        across, down = self.x_resolution, self.y_resolution
        if across <= 0 or down <= 0:
            # Standard faxes have 1728 dots a line and, coarse, less than 1400 lines on a page (T.4).
            return 2.08 if self.is_fax and 1680 <= self.width <= 1760 and self.height < 1400 else 1.0
        return min(max(across / down, 0.2), 5.0)


@dataclass(slots=True)
class Document:
    """All pages that could be found."""

    pages: list[Page] = field(default_factory=list)
    damaged: bool = False
    """The chain of pages ends in the middle, or a page is cut."""
    order: str = "<"
    end: int = 8
    """Where that ends which the directories tell of."""


def read(content: bytes) -> Document:
    """The pages of a TIFF of either byte order. Raises TiffUnreadable."""
    if not content:
        raise TiffUnreadable("empty")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(content[:4])
    if order is None:
        raise TiffUnreadable("not-tiff")
    found = Document(order=order)
    place = _number(content, 4, order, "I")
    seen: set[int] = set()
    while place:
        if place in seen or len(found.pages) >= MOST_DIRECTORIES:
            found.damaged = True
            break
        seen.add(place)
        tags = _tags(content, place, order)
        if tags is None:
            found.damaged = True
            break
        values, place, end = tags
        page = _page(values, len(content))
        found.end = max(found.end, end, *(at + size for at, size in page.strips)) if page else max(found.end, end)
        if page is None:
            found.damaged = True
            continue
        found.damaged |= page.cut
        found.pages.append(page)
    if not found.pages:
        raise TiffUnreadable("cut")
    return found


def _number(content: bytes, place: int, order: str, kind: str) -> int:
    size = struct.calcsize(kind)
    if place + size > len(content):
        return 0
    return int(struct.unpack_from(order + kind, content, place)[0])


def _tags(content: bytes, place: int, order: str) -> tuple[dict[int, list[float]], int, int] | None:
    """The values of a directory, the place of the next, and where all of it ends; None when it is not wholly there."""
    if place + 2 > len(content):
        return None
    count = _number(content, place, order, "H")
    end = place + 2 + 12 * count
    if not 0 < count <= MOST_TAGS or end + 4 > len(content):
        return None
    values: dict[int, list[float]] = {}
    last = end + 4
    for entry in range(place + 2, end, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", content, entry)
        size = _SIZES.get(kind, 0) * number
        if not size or number > MOST_STRIPS:
            continue
        at = entry + 8 if size <= 4 else _number(content, entry + 8, order, "I")
        if at + size <= len(content):
            values[tag] = list(_read(content, at, order, kind, number))
            last = max(last, at + size)
    return values, _number(content, end, order, "I"), last


def _read(content: bytes, at: int, order: str, kind: int, number: int) -> Iterator[float]:
    if kind == 5:
        for over, under in struct.iter_unpack(order + "II", content[at : at + 8 * number]):
            yield over / under if under else 0.0
    elif letter := {1: "B", 3: "H", 4: "I"}.get(kind):
        yield from struct.unpack_from(f"{order}{number}{letter}", content, at)


def _page(values: dict[int, list[float]], length: int) -> Page | None:
    def one(tag: int, default: float = 0) -> float:
        found = values.get(tag)
        return found[0] if found else default

    width, height = int(one(256)), int(one(257))
    if width <= 0 or height <= 0:
        return None
    places, lengths = values.get(273, []), values.get(279, [])
    if 279 not in values and len(places) == 1:
        lengths = [length - places[0]]  # old writers leave it out: the rest of the file
    strips, cut = [], len(places) != len(lengths)
    for at, size in zip(places, lengths, strict=False):
        there = max(0, min(int(size), length - int(at)))
        cut |= there < int(size)
        strips.append((int(at), there))
    per_inch = 2.54 if int(one(296, 2)) == 3 else 1.0
    compression = int(one(259, 1))
    return Page(
        width=width,
        height=height,
        compression=compression,
        bits=int(one(258, 1)),
        samples=int(one(277, 1)),
        x_resolution=one(282) * per_inch,
        y_resolution=one(283) * per_inch,
        photometric=int(one(262)),
        fill_order=int(one(266, 1)),
        options=int(one(292 if compression == 3 else 293)),
        rows_a_strip=min(int(one(278, height)) or height, height),
        strips=tuple(strips),
        cut=cut or not strips,
    )


def single(content: bytes, page: Page, strip: int, rows: int, order: str) -> bytes:
    """A TIFF of one fax page with `rows` lines of that strip alone: what a decoder can be given when others are bad.

    Fewer rows than the strip claims let a decoder succeed whose data end too early.
    """
    at, size = page.strips[strip]
    data = content[at : at + size]
    start = 8 + 2 + 12 * 11 + 4
    tags = [
        (256, 4, page.width),
        (257, 4, rows),
        (258, 3, 1),
        (259, 3, page.compression),
        (262, 3, page.photometric),
        (266, 3, page.fill_order),
        (273, 4, start),
        (277, 3, 1),
        (278, 4, rows),
        (279, 4, len(data)),
        (293 if page.compression == 4 else 292, 4, page.options),
    ]
    out = [b"II*\0" if order == "<" else b"MM\0*", struct.pack(order + "IH", 8, len(tags))]
    for tag, kind, value in tags:
        packed = struct.pack(order + ("HH" if kind == 3 else "I"), *([value, 0] if kind == 3 else [value]))
        out.append(struct.pack(order + "HHI", tag, kind, 1) + packed)
    out.append(struct.pack(order + "I", 0))
    return b"".join(out) + data
