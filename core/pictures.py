"""Pictures of strangers, drawn anew: what comes out holds pixels and nothing else.

Decoding happens in a process of its own with limits of memory, time, files and their size, and on Linux without any
socket: a decoder broken by a picture takes nothing with it (S-19). `python -m core.pictures SIDE` reads a picture and
writes a PNG or JPEG.
"""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import warnings
from pathlib import Path

BYTES = 20 * 1024 * 1024
PIXELS = 40_000_000
MEMORY = 1024 * 1024 * 1024
"""Address space of the process; a picture of PIXELS takes about a fifth of it."""
SECONDS = 10
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
_AT_ONCE = threading.BoundedSemaphore(2)


class PictureUnreadable(Exception):
    """Not a picture, too large, or broken."""


def redraw(content: bytes, side: int = 1600) -> tuple[str, bytes]:
    """The first frame of the picture, at most `side` pixels wide and high, with its type. Raises PictureUnreadable."""
    if len(content) > BYTES:
        raise PictureUnreadable("too large")
    if not _AT_ONCE.acquire(timeout=SECONDS):
        raise PictureUnreadable("too much to do")
    try:
        done = subprocess.run(
            [sys.executable, "-I", __file__, str(side)],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            env={"PATH": ""},
            check=False,
        )
    except subprocess.TimeoutExpired as fault:
        raise PictureUnreadable("takes too long") from fault
    finally:
        _AT_ONCE.release()
    kind, _, picture = done.stdout.partition(b"\n")
    if done.returncode or kind not in (b"image/png", b"image/jpeg"):
        raise PictureUnreadable("unreadable")
    return kind.decode(), picture


def _main(side: int) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from PIL import Image, ImageOps

    from core.seclusion import confine

    confine(seconds=SECONDS, memory=MEMORY, file_bytes=BYTES, files=16)
    Image.MAX_IMAGE_PIXELS = PIXELS
    warnings.simplefilter("error")  # a picture above the limit only warns otherwise
    opened = Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=FORMATS)
    if opened.width * opened.height > PIXELS:
        raise SystemExit(1)
    opened.draft("RGB", (side, side))
    picture: Image.Image = ImageOps.exif_transpose(opened)
    has_alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    picture = picture.convert("RGBA" if has_alpha else "RGB")
    picture.thumbnail((side, side))
    out = io.BytesIO()
    kind, options = ("PNG", {}) if has_alpha or picture.width * picture.height < 65_536 else ("JPEG", {"quality": 85})
    picture.info.clear()
    picture.save(out, kind, **options)
    sys.stdout.buffer.write(f"image/{kind.lower()}\n".encode() + out.getvalue())


if __name__ == "__main__":
    _main(int(sys.argv[1]))
