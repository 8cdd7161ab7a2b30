"""What colleagues are told of tasks and appointments, each in his language and his time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm.organisation import services
from crm.organisation.models import User
from crm.planning.models import Appointment, Task


def given(task: Task, by: User | None) -> None:
    """Tell the assignee that a task is his now, unless he gave it to himself."""
    if task.assignee is not None and task.assignee != by:
        who = str(by or "")
        _tell([task.assignee], lambda: _given_words(task.title, who), f"/desk/tasks/{task.pk}/")


def invited(appointment: Appointment, people: Collection[User], by: User | None) -> None:
    """Tell people of an appointment that they are to keep."""
    _tell(
        [user for user in people if user != by],
        lambda: (
            _("Appointment on %(when)s: %(topic)s") % {"when": said(appointment.starts_at), "topic": appointment.topic}
        ),
        f"/desk/appointments/{appointment.pk}/",
    )


def due(task: Task, people: Collection[User]) -> None:
    """Tell people that a task is due."""
    _tell(people, lambda: _("Due: %(title)s") % {"title": task.title}, f"/desk/tasks/{task.pk}/")


def soon(appointment: Appointment, people: Collection[User]) -> None:
    """Tell people that an appointment is about to begin."""
    _tell(
        people,
        lambda: _("%(when)s: %(topic)s") % {"when": said(appointment.starts_at), "topic": appointment.topic},
        f"/desk/appointments/{appointment.pk}/",
    )


def said(at: datetime) -> str:
    """A moment in the current zone and language."""
    return date_format(timezone.localtime(at), translation.pgettext("moment (Django date format)", "j M Y, H:i"))


def _given_words(title: str, who: str) -> str:
    if who:
        return _("%(who)s gave you a task: %(title)s") % {"who": who, "title": title}
    return _("A task for you: %(title)s") % {"title": title}


def _tell(people: Collection[User], words: Callable[[], str], url: str) -> None:
    for user in people:
        with ExitStack() as his:
            his.enter_context(translation.override(user.language or settings.LANGUAGE_CODE))
            if user.time_zone:
                his.enter_context(timezone.override(ZoneInfo(user.time_zone)))
            text = words()
        services.notify([user], text, url)
