"""The life of a call list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm.marketing.models import CallList, CallListEvent
from crm.marketing.services.refusals import NotPossible
from crm.organisation.models import User

State = CallList.State
AFTER: Mapping[str, frozenset[str]] = {
    State.DRAFT: frozenset(),
    State.RUNNING: frozenset({State.DRAFT, State.PAUSED, State.FINISHED}),
    State.PAUSED: frozenset({State.RUNNING}),
    State.FINISHED: frozenset({State.RUNNING, State.PAUSED}),
}
"""From which states each can be reached."""


def note(call_list: CallList, by: User | None, what: str, old: str = "", new: str = "", why: str = "") -> None:
    """One line of the list's history. Call inside the transaction of what it is about."""
    CallListEvent.objects.create(
        call_list=call_list,
        actor=by,
        actor_name=str(by or "")[:200],
        what=what,
        old=old[:300],
        new=new[:300],
        why=why[:300],
    )


@transaction.atomic
def save_list(call_list: CallList, *, by: User | None, people: Iterable[User] | None = None) -> CallList:
    """Save a new or changed list, and who works it; what changed is noted."""
    before = CallList.objects.select_for_update(of=("self",), no_key=True).filter(pk=call_list.pk).first()
    if before is None:
        call_list.created_by = by
        call_list.save()
        note(call_list, by, "made", new=call_list.name)
    else:
        fields = [f for f in CallList._meta.concrete_fields if f.editable and not f.primary_key]
        for field in fields:
            old, new = getattr(before, field.attname), getattr(call_list, field.attname)
            if old != new:
                note(call_list, by, field.name, _said(before, field), _said(call_list, field))
        call_list.save(update_fields=[f.name for f in fields])
    if people is not None:
        wanted = set(people)
        had = set(call_list.people.all())
        if wanted != had:
            call_list.people.set(wanted)
            note(call_list, by, "people", _names(had), _names(wanted))
    return call_list


@transaction.atomic
def set_state(call_list: CallList, state: str, *, by: User | None) -> CallList:
    """Start, pause, finish or resume it. Does nothing when it is so already. Raises NotPossible."""
    row = CallList.objects.select_for_update(of=("self",), no_key=True).get(pk=call_list.pk)
    wanted = State(state)
    if row.state == wanted:
        return row
    if row.state not in AFTER[wanted]:
        said = _("A list that is “%(state)s” cannot become “%(wanted)s”.")
        raise NotPossible(said % {"state": row.get_state_display(), "wanted": wanted.label})
    if wanted == State.RUNNING:
        if not row.entries.exists():
            raise NotPossible(_("There is nobody on this list yet."))
        if row.queue_id is None and not row.people.exists():
            raise NotPossible(_("First say who works the list: people or a queue."))
    note(row, by, "state", row.state, wanted)
    row.state = wanted
    row.save(update_fields=["state"])
    return row


def _said(call_list: CallList, field: Any) -> str:
    value = getattr(call_list, field.name)
    return "" if value is None else str(value)


def _names(people: Iterable[User]) -> str:
    return ", ".join(sorted(map(str, people)))
