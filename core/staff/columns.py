"""Columns of lists in the shell, built of the shared components."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wagtail.admin.ui.tables import Column


class StatusColumn(Column):
    """A choice field as a pill with tone and icon: the stored word decides the tone, its label is read."""

    cell_template_name = "core/staff/columns/status.html"

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """The word and its label."""
        context = super().get_cell_context_data(instance, parent_context)
        label = getattr(instance, f"get_{self.name}_display", None)
        context["label"] = label() if label else context["value"]
        return context


class MomentColumn(Column):
    """A moment in the reader's zone, the whole of it as tooltip."""

    cell_template_name = "core/staff/columns/moment.html"


class PersonColumn(Column):
    """Initials and name of a colleague or a contact."""

    cell_template_name = "core/staff/columns/person.html"


class LinkColumn(Column):
    """Text that leads somewhere; without an address it is only text."""

    cell_template_name = "core/staff/columns/link.html"

    def __init__(self, name: str, *, url: Callable[[Any], str | None], **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.url = url

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """The text and where it leads."""
        context = super().get_cell_context_data(instance, parent_context)
        context["url"] = self.url(instance)
        return context


class BadgesColumn(Column):
    """Several words, each in a badge: the accessor gives a list."""

    cell_template_name = "core/staff/columns/badges.html"
