"""Spreadsheets that are safe to open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.http.response import HttpResponse
from django.utils.translation import gettext as _
from wagtail.admin.views.mixins import SpreadsheetExportMixin

from core import limits

FORMULA = re.compile(r"^[\s\x00\ufeff]*[=+\-@＝＋－＠]|^[\t\r\n\x00]")
"""What a spreadsheet program may take for a formula (CWE-1236), also full-width and behind blanks."""
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Characters that XML 1.0, and so XLSX, cannot hold."""
NUMBER = re.compile(r"^[+-]?[\d ()/.-]*\d$")
"""Plain numbers and telephone numbers are no formulas."""
PLAIN = "text/plain; charset=utf-8"
EXPORTS_PER_HOUR = 5
XLSX_ROWS = 20_000
"""A workbook is built in memory (3 kB a row); longer lists are streamed as CSV."""


def text_cell(value: str) -> str:
    """`value` so that no spreadsheet program computes it: a leading apostrophe where it looks like a formula."""
    if FORMULA.match(value) and not NUMBER.match(value):
        return f"'{value}"
    return value


class SafeExport(SpreadsheetExportMixin):
    """List export whose cells are text, limited in number an hour, in the order and filter of the list."""

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        """The cell: strings are made harmless, other values stay what they are."""
        cell = super().preprocess_field_value(field, value, export_format)
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
        user = self.request.user  # type: ignore[attr-defined]
        if not limits.hit(f"export:{user.pk}", limit=EXPORTS_PER_HOUR, seconds=3600):
            said = _("That was the last export for this hour. Please try again later.")
            return HttpResponse(said, status=429, content_type=PLAIN, headers={"Retry-After": "3600"})
        if spreadsheet_format == self.FORMAT_XLSX and queryset.count() > XLSX_ROWS:
            said = _("This list is too long for a workbook. Please filter it, or download it as CSV.")
            return HttpResponse(said, status=413, content_type=PLAIN)
        return super().as_spreadsheet(queryset, spreadsheet_format)
