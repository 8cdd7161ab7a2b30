"""Fax files of every sort for tests: real encoders write them, and what breaks them is said in their names."""

from __future__ import annotations

import io
import struct
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from inbox.channels.fax.pages import rendering


def drawing(text: str = "Order 4711", size: tuple[int, int] = (1728, 1145), language: int = 2) -> Image.Image:
    """A page with a frame, a diagonal and words: whatever is lost or bent shows."""
    page = Image.new("1", size, 1)
    pen = ImageDraw.Draw(page)
    pen.rectangle((40, 40, size[0] - 40, size[1] - 40), outline=0, width=6)
    font = ImageFont.truetype(rendering.font(), 64, index=language, layout_engine=ImageFont.Layout.BASIC)
    for number, line in enumerate(text.splitlines()):
        pen.text((120, 120 + 100 * number), line, font=font, fill=0)
    return page


def tiff(
    *pages: Image.Image, compression: str = "group4", dpi: tuple[int, int] | None = (204, 98), big_endian: bool = False
) -> bytes:
    out = io.BytesIO()
    first, *others = pages or (drawing(),)
    options = {"dpi": dpi} if dpi else {}
    if big_endian:
        # Pillow writes the order of the machine through libtiff; uncompressed it can be asked for the other one.
        return swapped(first)
    first.save(out, "TIFF", save_all=True, append_images=others, compression=compression, **options)
    return out.getvalue()


def swapped(page: Image.Image) -> bytes:
    """One page, G4, in the byte order of Motorola."""
    g4 = tiff(page)
    from inbox.channels.fax.pages import tiff as reader

    document = reader.read(g4)
    found = document.pages[0]
    strips = [g4[at : at + size] for at, size in found.strips]
    start = 8 + 2 + 12 * 10 + 4
    rows = found.rows_a_strip
    offsets_at = start + 16
    data_at = offsets_at + 8 * len(strips)
    tags = [
        (256, 4, 1, found.width), (257, 4, 1, found.height), (258, 3, 1, 1 << 16), (259, 3, 1, 4 << 16),
        (262, 3, 1, found.photometric << 16), (273, 4, len(strips), offsets_at), (278, 4, 1, rows),
        (279, 4, len(strips), offsets_at + 4 * len(strips)), (282, 5, 1, start), (283, 5, 1, start + 8),
    ]  # fmt: skip
    places, place = [], data_at
    for strip in strips:
        places.append(place)
        place += len(strip)
    if len(strips) == 1:
        tags[5] = (273, 4, 1, places[0])
        tags[7] = (279, 4, 1, len(strips[0]))
    out = [b"MM\0*", struct.pack(">IH", 8, len(tags))]
    out += [struct.pack(">HHII", *tag) for tag in tags]
    out += [struct.pack(">I", 0), struct.pack(">IIII", 204, 1, 98, 1)]
    out += [struct.pack(f">{len(strips)}I", *places), struct.pack(f">{len(strips)}I", *map(len, strips)), *strips]
    return b"".join(out)


@cache
def one() -> bytes:
    return tiff(drawing())


@cache
def three() -> bytes:
    return tiff(*(drawing(f"Page {n}") for n in (1, 2, 3)))


def loop() -> bytes:
    """A directory that names itself as the next."""
    content = bytearray(one())
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    struct.pack_into("<I", content, at + 2 + 12 * count, at)
    return bytes(content)


def huge() -> bytes:
    """60,000 by 60,000 dots that take no room: 450 MB when they are decoded."""
    content = bytearray(one())
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from("<H", content, entry)
        if tag in (256, 257, 278):
            struct.pack_into("<HHII", content, entry, tag, 4, 1, 60_000)
    return bytes(content)


def many(count: int) -> bytes:
    """So many directories over one and the same picture."""
    content = bytearray(one())
    (at,) = struct.unpack_from("<I", content, 4)
    (tags,) = struct.unpack_from("<H", content, at)
    body = bytes(content[at : at + 2 + 12 * tags])
    place = at
    for _ in range(count - 1):
        following = len(content) + len(content) % 2
        content += b"\0" * (following - len(content)) + body + b"\0\0\0\0"
        struct.pack_into("<I", content, place + 2 + 12 * tags, following)
        place = following
    return bytes(content)


def pdf(*pages: Image.Image) -> bytes:
    out = io.BytesIO()
    first, *others = pages or (drawing(),)
    first.save(out, "PDF", save_all=True, append_images=others, resolution=204)
    return out.getvalue()


def bare_pdf(pages: int = 1, *, recursive: bool = False) -> bytes:
    """Objects written by hand: so many empty pages, or a tree of pages that is its own child."""
    kids = "2 0 R" if recursive else " ".join(f"{3 + n} 0 R" for n in range(pages))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>"]
    objects += ["<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"] * (0 if recursive else pages)
    out, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode()
    start = len(out)
    out += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + f"trailer\n<< /Size {len(places) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
