"""Spreadsheets that are safe to open."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpResponseBase
from django.http.response import HttpResponse
from django.utils.translation import gettext as _
from wagtail.admin.views.mixins import SpreadsheetExportMixin

from core import audit, limits, proof
from core.staff.views import proof_asked

FORMULA = re.compile(r"^[\s\x00\ufeff\"';,]*[=+\-@＝＋－＠]|^[\t\r\n\x00]")
"""What a spreadsheet program may take for a formula (CWE-1236), also full-width and behind blanks or quotation marks.

And behind a semicolon: where that sets cells apart, as in Germany, the rest is a cell of its own.
"""
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Characters that XML 1.0, and so XLSX, cannot hold."""
NUMBER = re.compile(r"^[+-]?[\d ()/.-]*\d$")
"""Plain numbers and telephone numbers are no formulas."""
PLAIN = "text/plain; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXPORTS_PER_HOUR = 5
XLSX_ROWS = 20_000
"""A workbook is built in memory (3 kB a row); longer lists are streamed as CSV."""


def text_cell(value: str) -> str:
    """`value` so that no spreadsheet program computes it: a leading apostrophe where it looks like a formula."""
    if FORMULA.match(value) and not NUMBER.match(value):
        return f"'{value}"
    return value


def rows_as_file(
    request: Any, name: str, about: Any, head: list[str], rows: list[list[Any]], kind: str
) -> HttpResponseBase:
    """A small table as `csv` or `xlsx`, safe and noted as the lists are; 429 after too many exports."""
    if refused := _not_now(request):
        return refused
    audit.record("export", by=request.user, about=about, detail=f"{kind} {_shown(request)}".strip())
    table = [head, *rows]
    if kind == "xlsx":
        from openpyxl import Workbook  # large, and rarely needed

        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        for row in table:
            sheet.append([_text_of_workbook(sheet, cell) if isinstance(cell, str) else cell for cell in row])
        file = BytesIO()
        book.save(file)
        content, kind_of_file = file.getvalue(), XLSX
    else:
        lines = StringIO()
        csv.writer(lines).writerows([[text_cell(c) if isinstance(c, str) else c for c in row] for row in table])
        content, kind_of_file = f"\ufeff{lines.getvalue()}".encode(), "text/csv; charset=utf-8"
    response = HttpResponse(content, content_type=kind_of_file)
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


def _text_of_workbook(sheet: Any, text: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, UNPRINTABLE.sub("", text))
    cell.data_type = "s"  # openpyxl takes what begins with = for a formula
    return cell


def _not_now(request: Any) -> HttpResponseBase | None:
    """What has to be proved first, or that there were too many."""
    if asked := proof_asked(request, proof.RECENT_SECONDS):
        return asked
    if limits.hit(f"export:{request.user.pk}", limit=EXPORTS_PER_HOUR, seconds=3600):
        return None
    said = _("That was the last export for this hour. Please try again later.")
    return HttpResponse(said, status=429, content_type=PLAIN, headers={"Retry-After": "3600"})


def _shown(request: Any) -> str:
    return urlencode({name: request.GET[name] for name in request.GET if name != "export"})


class SafeExport(SpreadsheetExportMixin):
    """List export whose cells are text, limited in number an hour, in the order and filter of the list."""

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        """The cell: strings are made harmless, other values stay what they are."""
        cell = super().preprocess_field_value(field, value, export_format)
        if isinstance(cell, Model):
            cell = str(cell)  # the writer would do it, past the check below
        if not isinstance(cell, str):
            return cell
        if export_format == self.FORMAT_XLSX:
            return UNPRINTABLE.sub("", cell)
        return text_cell(cell)

    def stream_csv(self, queryset: QuerySet[Any]) -> Iterator[Any]:
        """The lines, with the mark that makes Excel read UTF-8, so that Chinese names arrive."""
        yield "\ufeff".encode()
        yield from super().stream_csv(queryset.iterator(chunk_size=1000))

    def get_heading(self, queryset: Any, field: str) -> str:
        """The column's label; the rows may come as an iterator, so the model is the view's."""
        return super().get_heading(self.model._default_manager.none(), field)  # type: ignore[attr-defined]

    def as_spreadsheet(self, queryset: QuerySet[Any], spreadsheet_format: str) -> HttpResponseBase | None:
        """The file; 429 after too many of them, 413 for a workbook that would not fit into memory."""
        if refused := _not_now(self.request):  # type: ignore[attr-defined]
            return refused
        user = self.request.user  # type: ignore[attr-defined]
        if spreadsheet_format == self.FORMAT_XLSX and queryset.count() > XLSX_ROWS:
            said = _("This list is too long for a workbook. Please filter it, or download it as CSV.")
            return HttpResponse(said, status=413, content_type=PLAIN)
        shown = _shown(self.request)  # type: ignore[attr-defined]
        about = self.model._meta.verbose_name_plural  # type: ignore[attr-defined]
        audit.record("export", by=user, about=about, detail=f"{spreadsheet_format} {shown}".strip())
        return super().as_spreadsheet(queryset, spreadsheet_format)
