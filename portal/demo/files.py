"""Files that the people of the demo company send each other, made on the spot."""

from __future__ import annotations

import io
import random
from pathlib import PurePath

from PIL import Image, ImageDraw

KINDS = {".jpg": "image/jpeg", ".pdf": "application/pdf", ".txt": "text/plain"}


def file(name: str) -> tuple[str, str, bytes]:
    """Name, type and content of a file called `name`; the same name gives the same bytes. Raises KeyError."""
    suffix = PurePath(name).suffix
    make = {".jpg": _photo, ".pdf": _document, ".txt": _log}[suffix]
    return name, KINDS[suffix], make(name)


def _photo(name: str) -> bytes:
    """Something that looks like a picture of a machine with a gauge."""
    chance = random.Random(name)
    image = Image.new("RGB", (640, 420), tuple(chance.randint(196, 232) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 330, 640, 420), fill=tuple(chance.randint(90, 130) for _ in range(3)))
    draw.rounded_rectangle((110, 90, 530, 340), radius=24, fill=(58, 62, 70), outline=(30, 32, 36), width=4)
    draw.rounded_rectangle((140, 240, 500, 320), radius=12, fill=(24, 26, 30))
    x, y = chance.randint(220, 420), 165
    draw.ellipse((x - 55, y - 55, x + 55, y + 55), fill=(240, 240, 236), outline=(180, 180, 176), width=5)
    draw.line((x, y, x + chance.randint(-40, 40), y - 30), fill=(190, 30, 30), width=5)
    for drop in range(chance.randint(2, 6)):
        left = 180 + drop * 46
        draw.ellipse((left, 350, left + 14, 376), fill=(120, 170, 210))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def _document(name: str) -> bytes:
    """A one-page PDF with the file's name on it."""
    title = PurePath(name).stem.encode("ascii", "replace").decode().replace("(", "").replace(")", "")
    content = f"BT /F1 20 Tf 72 760 Td (Halden) Tj 0 -30 Td /F1 12 Tf ({title}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(out),
    )


def _log(name: str) -> bytes:
    chance = random.Random(name)
    lines = [
        f"{t:06d} flow1={chance.randint(0, 9)} flow2=0 boiler={chance.randint(91, 96)}" for t in range(0, 4000, 100)
    ]
    return ("\n".join([*lines, "004000 E14 flow meter 2 not calibrated"]) + "\n").encode()
