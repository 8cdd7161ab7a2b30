"""Rows of a spreadsheet file, one after the other, so that a million of them need no memory."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from django.utils.translation import gettext as _

CELL = 500
"""Characters of a cell that are read."""
COLUMNS = 60
WORKBOOK_BYTES = 80 * 1024 * 1024
"""A workbook larger than this when unpacked is refused: its texts would all stand in memory. CSV has no such limit."""
ENCODINGS = ("utf-8-sig", "gb18030", "big5", "cp1252")
SAMPLE = 64 * 1024
_ZIP = b"PK\x03\x04"


class Unreadable(ValueError):
    """This is no table that we can read; the text is for people."""


def rows(file: IO[bytes]) -> Iterator[list[str]]:
    """The rows of a CSV or XLSX file as texts, empty ones too: the count is the row's number. Raises Unreadable."""
    file.seek(0)
    begin = file.read(4)
    file.seek(0)
    if begin == _ZIP:
        yield from _workbook(file)
    elif begin.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable(_("This is an old Excel file. Save it as .xlsx or .csv."))
    else:
        yield from _text(file)


def check(file: IO[bytes]) -> bool:
    """Look at it for a moment. True for a workbook: all its texts have to be read before its first row can be.

    Raises Unreadable.
    """
    file.seek(0)
    if file.read(4) != _ZIP:
        next(rows(file), None)
        return False
    _check_archive(file)
    return True


def _check_archive(file: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(file) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except (zipfile.BadZipFile, OSError) as fault:
        raise Unreadable(_("This workbook cannot be read.")) from fault
    if size > WORKBOOK_BYTES:
        raise Unreadable(_("This workbook is too large. Save it as .csv."))


def _workbook(file: IO[bytes]) -> Iterator[list[str]]:
    from openpyxl import load_workbook  # large, and rarely needed
    from openpyxl.utils.exceptions import InvalidFileException

    _check_archive(file)
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as fault:
        raise Unreadable(_("This workbook cannot be read.")) from fault
    try:
        for row in book.worksheets[0].iter_rows(values_only=True, max_col=COLUMNS) if book.worksheets else ():
            cells = [_cell(value) for value in row]
            while cells and not cells[-1]:  # it gives every row all columns
                cells.pop()
            yield cells
    finally:
        book.close()


def _text(file: IO[bytes]) -> Iterator[list[str]]:
    encoding = _encoding(file)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    try:
        sample = text.read(SAMPLE)
        text.seek(0)
        dialect = _delimiter(sample)
        for row in csv.reader((line.replace("\x00", "") for line in text), delimiter=dialect):
            yield [cell.strip()[:CELL] for cell in row[:COLUMNS]]
    except csv.Error as fault:
        raise Unreadable(_("This table cannot be read: %(why)s") % {"why": fault}) from fault
    finally:
        text.detach()  # the file is the caller's


def _encoding(file: IO[bytes]) -> str:
    """What the bytes can be read as; the first that fits the whole beginning."""
    sample = file.read(SAMPLE)
    file.seek(0)
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    whole = sample.rsplit(b"\n", 1)[0]  # the end may cut a sign in two
    for encoding in ENCODINGS:
        try:
            whole.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "utf-8"


def _delimiter(sample: str) -> str:
    """The sign that parts the most cells of the first lines alike."""
    lines = [line for line in sample.splitlines() if line.strip()][:20]
    counts = {sign: [line.count(sign) for line in lines] for sign in (",", ";", "\t", "|")}
    best = max(counts, key=lambda sign: (min(counts[sign], default=0), sum(counts[sign])))
    return best if sum(counts[best]) else ","


def _cell(value: Any) -> str:
    """A cell as text; Excel keeps telephone numbers as floats."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).replace("\x00", "").strip()[:CELL]
