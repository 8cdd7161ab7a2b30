"""Asking the limited process (see `worker`) for pages, and what it can say in words."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

SECONDS = 60
"""Processor time and, thrice, wall time for the pages of one document; what is read by Tesseract comes on top."""
MOST_PAGES = 200
"""Pages of a received document that are drawn."""
MOST_SENT = 60
"""Pages of one fax that we send."""
WIDTH = 1400
_WORKER = Path(__file__).with_name("worker.py")
_AT_ONCE = threading.BoundedSemaphore(2)
LANGUAGES = ("chi_sim", "chi_tra", "eng")
"""In this order: Tesseract sets Chinese signs apart, and loses some, when the Latin script stands first."""

WORDS = {
    "too-many": _("It has more pages than are drawn."),
    "too-large": _("A page is too large to be drawn."),
    "shape": _("A page has an impossible shape."),
    "unreadable": _("It cannot be read."),
    "time": _("Drawing it took too long and was stopped."),
    "empty": _("It holds no page that could be read."),
    "broken": _("It broke the program that draws pages. The inbox is not affected."),
}
"""Why there is no (further) page."""


@dataclass(slots=True)
class Drawn:
    """One page as PNG."""

    number: int
    width: int = 0
    height: int = 0
    picture: bytes = b""
    thumb: bytes = b""


@dataclass(slots=True)
class Result:
    """What came out, also when the process broke in the middle."""

    count: int = 0
    pages: list[Drawn] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    damaged: bool = False
    refused: str = ""
    """A key of WORDS; empty when every page was drawn."""
    file: int = -1
    """Which of the files was refused."""
    document: bytes = b""


@cache
def tesseract() -> tuple[str, str]:
    """The program and those of our languages that it has (`eng+chi_sim`); empty texts when it is not installed."""
    program = shutil.which("tesseract") or ""
    if not program:
        return "", ""
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False).stdout.split()
    return (program, "+".join(found)) if (found := [each for each in LANGUAGES if each in listed]) else ("", "")


@cache
def font() -> str:
    """The font collection that pages are written with: the installed package's, so that every machine draws alike."""
    found = importlib.util.find_spec("noto_cjk_sans_otc")
    if found is None or not found.origin:
        raise FileNotFoundError("noto-cjk-sans-otc")
    return str(Path(found.origin).with_name("NotoSansCJK-Regular.ttc"))


SIGNS = {"ja": 0, "ko": 1, "zh-hans": 2, "zh-hant": 3}
"""Place of each language's forms in the collection."""


def read(files: Sequence[bytes], *, ocr_pages: int = 0, languages: str = "", ocr_seconds: int = 60) -> Result:
    """The pages of these documents; with `ocr_pages` also the words of the first ones. Never raises for bad files.

    `languages` narrows what Tesseract looks for, as `eng+chi_tra`.
    """
    program, known = tesseract()
    wanted = set(languages.split("+")) & set(known.split("+"))
    languages = "+".join(each for each in known.split("+") if each in wanted) if wanted else known
    recognising = bool(ocr_pages and program)
    seconds = SECONDS + (ocr_seconds if recognising else 0)
    order = {
        "do": "read",
        "width": WIDTH,
        "most": MOST_PAGES,
        "tesseract": program,
        "ocr": languages if recognising else "",
        "ocr_pages": ocr_pages,
        "seconds": seconds,
    }
    result = _ask(order, [("", content) for content in files], seconds)
    if not result.refused and not result.pages:
        result.refused = "empty"
    return result


def make(
    *,
    cover: str,
    text: str,
    files: Sequence[tuple[str, bytes]],
    language: str,
    form: str,
    pages_mark: str,
    width: int = 0,
) -> Result:
    """One fax of a cover, a text and files (kind `tiff`, `pdf`, `picture` or `text`, and content) as `tiff` or `pdf`.

    With `width` its pages are drawn too. `pages_mark` in the cover becomes the number of pages.
    """
    order = {
        "do": "make",
        "width": width,
        "most": MOST_SENT,
        "cover": cover,
        "text": text,
        "font": font(),
        "form_of_signs": SIGNS.get(language, 2),
        "form": form,
        "pages_mark": pages_mark,
        "seconds": SECONDS,
    }
    return _ask(order, files, SECONDS)


def _ask(order: dict[str, Any], files: Sequence[tuple[str, bytes]], seconds: int) -> Result:
    order["files"] = [{"kind": kind, "size": len(content)} for kind, content in files]
    told = b"".join([json.dumps(order).encode(), b"\n", *(content for _kind, content in files)])
    with _AT_ONCE:
        process = subprocess.Popen(
            [sys.executable, "-I", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": ""},
            start_new_session=True,
        )
        late = False
        try:
            out, _err = process.communicate(told, timeout=seconds * 3)
        except subprocess.TimeoutExpired as fault:
            late, out = True, fault.stdout or b""
        finally:
            # Its children too: Tesseract would hold the pipe.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
    result = _understood(out)
    if process.returncode and not result.refused:
        result.refused = "time" if late or process.returncode in (-signal.SIGXCPU, -signal.SIGKILL) else "broken"
    return result


def _understood(out: bytes) -> Result:
    result = Result()
    pages: dict[int, Drawn] = {}
    place = 0
    while (end := out.find(b"\n", place)) >= 0:
        head = json.loads(out[place:end])
        content = out[end + 1 : end + 1 + head["size"]]
        place = end + 1 + head["size"]
        if len(content) < head["size"]:
            break  # it was killed in the middle of this one
        number = head.get("number", 0)
        match head["what"]:
            case "start":
                result.count, result.damaged = head["pages"], head["damaged"]
            case "page":
                pages[number] = Drawn(number, head["width"], head["height"], content)
            case "thumb":
                pages[number].thumb = content
            case "torn":
                result.damaged = True
            case "bad":
                result.damaged = True
                pages[number] = Drawn(number)
            case "text":
                result.texts.append(content.decode("utf-8", "replace").replace("\x00", ""))
            case "refused":
                result.refused, result.file = head["why"], head.get("file", -1)
            case "document":
                result.document = content
    result.pages = [page for page in pages.values() if page.picture]
    if pages and not result.pages:
        result.refused = "unreadable"
    return result
