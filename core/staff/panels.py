"""Panels of a record's page. The package that owns the record shows them; packages above it add theirs.

So a customer's page shows its tickets though customers know no ticket.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Panel:
    """One part of a record's page."""

    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    aside: bool = False
    """Stands in the narrow column."""

    def render(self, request: HttpRequest) -> SafeString:
        """The panel as HTML."""
        return render_to_string(self.template, {**self.context, "panel": self}, request)


Maker = Callable[[Any, Any], Panel | None]
_makers: dict[str, list[tuple[int, Maker]]] = {}


def register_panel(record: str, order: int, maker: Maker) -> None:
    """Show `maker(request, record)` on the page of records of this kind; None shows nothing for this reader."""
    makers = _makers.setdefault(record, [])
    if any(known is maker for _order, known in makers):
        raise ValueError(f"panel {maker.__name__} is there already")
    makers.append((order, maker))
    makers.sort(key=lambda entry: entry[0])


def panels_of(record: str, request: HttpRequest, instance: Any) -> list[Panel]:
    """The panels of one record for this reader, in order."""
    made = (maker(request, instance) for _order, maker in _makers.get(record, ()))
    return [panel for panel in made if panel is not None]
