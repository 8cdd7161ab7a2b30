"""Columns of lists in the shell, built of the shared components."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wagtail.admin.ui.tables import Column


class StatusColumn(Column):
    """A choice field as a pill with tone and icon: the stored word decides the tone, its label is read."""

    cell_template_name = "core/staff/columns/status.html"

    def __init__(self, name: str, *, words: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """`words` says what the reader reads for each stored word, where the model has no choices for it."""
        super().__init__(name, **kwargs)
        self.words = words or {}

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """The word and its label."""
        context = super().get_cell_context_data(instance, parent_context)
        label = getattr(instance, f"get_{self.name}_display", None)
        context["label"] = label() if label else self.words.get(context["value"], context["value"])
        return context


class MomentColumn(Column):
    """A moment in the reader's zone, the whole of it as tooltip."""

    cell_template_name = "core/staff/columns/moment.html"

    def __init__(self, name: str, *, full: bool = False, **kwargs: Any) -> None:
        """`full` shows day and time however near the moment is."""
        super().__init__(name, **kwargs)
        self.full = full

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """The moment and how it is shown."""
        return {**super().get_cell_context_data(instance, parent_context), "full": self.full}


class PersonColumn(Column):
    """Initials and name of a colleague or a contact."""

    cell_template_name = "core/staff/columns/person.html"


class LinkColumn(Column):
    """Text that leads somewhere, with a quieter line below it; without an address it is only text.

    `narrow` gives a line that only phones show, whose lists end after two columns.
    """

    cell_template_name = "core/staff/columns/link.html"

    def __init__(
        self,
        name: str,
        *,
        url: Callable[[Any], str | None] = lambda _record: None,
        note: Callable[[Any], str] | None = None,
        narrow: Callable[[Any], str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.url = url
        self.note = note
        self.narrow = narrow

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """The text and where it leads."""
        context = super().get_cell_context_data(instance, parent_context)
        context["url"] = self.url(instance)
        context["note"] = self.note(instance) if self.note else ""
        context["narrow"] = self.narrow(instance) if self.narrow else ""
        return context


class PriorityColumn(Column):
    """A ticket's priority as bars, its word as tooltip."""

    cell_template_name = "core/staff/columns/priority.html"

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """The number and its label."""
        context = super().get_cell_context_data(instance, parent_context)
        context["label"] = instance.get_priority_display()
        context["number"] = context["raw_value"]
        return context


class BadgesColumn(Column):
    """Several words, each in a badge: the accessor gives a list."""

    cell_template_name = "core/staff/columns/badges.html"
