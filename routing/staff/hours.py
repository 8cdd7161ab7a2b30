"""The screen of business hours: a week of shifts and the days that differ."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet, BaseModelForm, inlineformset_factory
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_time
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from wagtail.admin.ui.tables import Column

from core.staff.forms import RecordForm, RowForm, Rows, Section
from core.staff.viewsets import RecordViewSet
from core.zones import known
from routing import services
from routing.hours import DAY, Calendar, calendar, until
from routing.models import BusinessHours, Holiday, Shift
from routing.staff.columns import WordColumn
from routing.words import comma

MAX_SHIFTS = 8
"""Stretches of one day."""


@dataclass
class Stretch:
    """One pair of times as it was written."""

    opens: str = ""
    closes: str = ""

    @property
    def blank(self) -> bool:
        """Nothing was written."""
        return not (self.opens or self.closes)


@dataclass
class Day:
    """One weekday of the grid."""

    number: int
    stretches: list[Stretch] = field(default_factory=list)
    error: str = ""

    @property
    def label(self) -> str:
        """The name of the weekday."""
        return str(Shift.Weekday(self.number).label)

    @property
    def bars(self) -> list[tuple[int, int]]:
        """Start and length of each stretch in minutes, for the picture of the day."""
        found = []
        for stretch in self.stretches:
            opens, closes = _time(stretch.opens), _time(stretch.closes)
            if opens is not None and closes is not None:
                start = opens.hour * 60 + opens.minute
                end = (closes.hour * 60 + closes.minute) or DAY
                if end > start:
                    found.append((start, end - start))
        return found


class Week:
    """The seven days of the form."""

    def __init__(self, days: list[Day]) -> None:
        self.days = days

    @classmethod
    def of(cls, hours: BusinessHours) -> Week:
        """Stored shifts; a new record gets Monday to Friday, 9 to 17."""
        days = [Day(number) for number in range(7)]
        if hours.pk is None:
            for day in days[:5]:
                day.stretches.append(Stretch("09:00", "17:00"))
            return cls(days)
        for shift in hours.shifts.all():
            days[shift.weekday].stretches.append(Stretch(f"{shift.opens:%H:%M}", f"{shift.closes:%H:%M}"))
        return cls(days)

    @classmethod
    def posted(cls, data: QueryDict) -> Week:
        """What was sent: `dN-opens` and `dN-closes`, as many of each as there are stretches."""
        days = []
        for number in range(7):
            pairs = zip(data.getlist(f"d{number}-opens"), data.getlist(f"d{number}-closes"), strict=False)
            stretches = [Stretch(opens.strip()[:8], closes.strip()[:8]) for opens, closes in pairs]
            days.append(Day(number, [s for s in stretches if not s.blank][:MAX_SHIFTS]))
        return cls(days)

    def checked(self) -> list[tuple[int, time, time]]:
        """The shifts (weekday, from, to). Raises ValidationError and writes what is wrong beside its day."""
        found: list[tuple[int, time, time]] = []
        for day in self.days:
            known: list[tuple[int, int]] = []
            for stretch in day.stretches:
                opens, closes = _time(stretch.opens), _time(stretch.closes)
                if opens is None or closes is None:
                    day.error = _("Write both times, such as 09:00 and 17:30.")
                    continue
                start, end = opens.hour * 60 + opens.minute, (closes.hour * 60 + closes.minute) or DAY
                if end <= start:
                    day.error = _(
                        "A stretch ends after it begins. For work past midnight, add a stretch to the next day."
                    )
                elif any(start < other_end and other_start < end for other_start, other_end in known):
                    day.error = _("Two stretches of this day overlap.")
                known.append((start, end))
                found.append((day.number, opens, closes))
        if any(day.error for day in self.days):
            raise ValidationError(_("Some times of the week cannot be right: they are marked below."))
        return found


def _time(text: str) -> time | None:
    if text in ("24:00", "24:00:00"):
        return time(0)
    try:
        return parse_time(text)
    except ValueError:
        return None


class HolidayForm(RowForm):
    """A day that differs."""

    class Meta:
        model = Holiday
        fields = ("day", "name", "opens", "closes")
        labels: ClassVar = {"opens": gettext_lazy("Open from"), "closes": gettext_lazy("to")}
        widgets: ClassVar = {
            "day": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "opens": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "closes": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def clean(self) -> dict[str, Any]:
        """Both times or none."""
        data = super().clean() or self.cleaned_data
        opens, closes = data.get("opens"), data.get("closes")
        if (opens is None) != (closes is None):
            self.add_error("closes" if closes is None else "opens", _("Write both times, or none for a closed day."))
        elif opens is not None and closes is not None and closes != time(0) and closes <= opens:
            self.add_error("closes", _("It ends after it begins."))
        return data


class KnownDay(forms.Field):
    """The hidden key of a stored day, looked up among those already read: Django's own field asks once a row."""

    widget = forms.HiddenInput

    def __init__(self, days: RecentDays, **options: Any) -> None:
        super().__init__(required=False, **options)
        self.days = days

    def clean(self, value: Any) -> Holiday | None:
        """The day, or None for a new one. Raises ValidationError when somebody removed it meanwhile."""
        if not value:
            return None
        found = self._known(int(value)) if str(value).isdecimal() else None
        if found is None:
            raise ValidationError(_("Somebody removed this day meanwhile."))
        return found

    def _known(self, key: int) -> Holiday | None:
        return self.days._existing_object(key)  # type: ignore[attr-defined]  # the stubs leave it out

    def has_changed(self, initial: Any, data: Any) -> bool:
        """A key never changes."""
        return False


class RecentDays(BaseInlineFormSet):
    """Days of the last twelve months and those to come; older ones stay as they are, for what was promised then."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        since = timezone.localdate() - timedelta(days=366)
        kwargs.setdefault("queryset", Holiday.objects.filter(day__gte=since))
        super().__init__(*args, **kwargs)

    def clean(self) -> None:
        """The rows of one day must not overlap; one without times is the whole day."""
        super().clean()
        taken: dict[date, list[tuple[int, int]]] = {}
        for form in self.forms:
            data = form.cleaned_data if form.is_valid() else {}
            if not data.get("day") or data.get("DELETE"):
                continue
            opens, closes = data["opens"] or time(0), data["closes"] or time(0)
            start, end = opens.hour * 60 + opens.minute, (closes.hour * 60 + closes.minute) or DAY
            others = taken.setdefault(data["day"], [])
            if any(start < other_end and other_start < end for other_start, other_end in others):
                form.add_error("day", _("This day stands here twice, and the times overlap."))
            others.append((start, end))

    def add_fields(self, form: forms.ModelForm, index: int | None) -> None:
        """With our own key field."""
        super().add_fields(form, index)
        form.fields["id"] = KnownDay(self, initial=form.instance.pk)


HolidayRows: Any = inlineformset_factory(
    BusinessHours, Holiday, form=HolidayForm, formset=RecentDays, extra=0, can_delete=True, max_num=120
)


class HoursForm(RecordForm):
    """A week, and the days that differ."""

    sections: ClassVar = (Section("", ("name", "time_zone")),)
    rows: ClassVar = (
        Rows(
            "holidays",
            gettext_lazy("Days that differ"),
            HolidayRows,
            gettext_lazy("Add a day"),
            gettext_lazy(
                "Holidays, and days with other hours. Without times the day is closed; a day with a break has two rows."
            ),
        ),
    )

    class Meta:
        model = BusinessHours
        fields = ("name", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zone for zone in known() if "/" in zone and not zone.startswith("Etc/"))
        self.fields["time_zone"].widget = forms.Select(choices=[(zone, zone) for zone in ["UTC", *zones]])
        if not self.instance.pk:
            self.initial.setdefault("time_zone", timezone.get_current_timezone_name())
        self.week = Week.posted(self.data) if self.is_bound else Week.of(self.instance)

    def has_changed(self) -> bool:
        """The fields, the days that differ, or the week."""
        return super().has_changed() or self.week.days != Week.of(self.instance).days

    def clean(self) -> dict[str, Any]:
        """The week must have a shift, and each of them must be one."""
        data = super().clean() or self.cleaned_data
        data["week"] = self.week.checked()
        if not data["week"]:
            raise ValidationError(_("The week has no open time: write at least one stretch."))
        return data

    @property
    def now(self) -> dict[str, Any] | None:
        """Whether the stored hours are open at this moment, and until when."""
        cal = calendar(self.instance) if self.instance.pk else None
        return status(cal) if cal else None


def save_hours(form: HoursForm, by: Any) -> BusinessHours:
    """The record and its days, then the week; built calendars are built again."""
    hours = form.save()
    services.set_week(hours, form.cleaned_data["week"])
    services.promises_changed(hours)
    return hours


def status(cal: Calendar) -> dict[str, Any]:
    """Open or not, the time there, and when that ends, in words."""
    zone = zoneinfo.ZoneInfo(cal.zone)
    now = timezone.now()
    is_open, end = until(cal, now)
    return {
        "open": is_open,
        "time": _moment(now.astimezone(zone)),
        "until": _moment(end.astimezone(zone)) if end else "",
    }


def _moment(at: datetime) -> str:
    return f"{date_format(at, 'D')} {date_format(at, 'H:i')}"


def _now(hours: BusinessHours) -> str:
    cal = calendar(hours)
    return "good" if cal and until(cal, timezone.now())[0] else "closed"


def summary(hours: BusinessHours) -> str:
    """The week in a line: days with the same times together."""
    days = [" + ".join(f"{s.opens}–{s.closes}" for s in day.stretches) for day in Week.of(hours).days]
    parts: list[str] = []
    start = 0
    for number in range(1, 8):
        if number == 7 or days[number] != days[start]:
            if days[start]:
                first, last = (str(Shift.Weekday(n).label) for n in (start, number - 1))
                parts.append(f"{first}–{last} {days[start]}" if start < number - 1 else f"{first} {days[start]}")
            start = number
    return comma().join(parts)


class HoursViewSet(RecordViewSet):
    """When we work."""

    name = "routing_hours"
    url_prefix = "hours"
    model = BusinessHours
    icon = "g-calendar"
    menu_label = gettext_lazy("Business hours")
    menu_name = "hours"
    create_template_name = edit_template_name = "routing/staff/hours_form.html"
    list_display: ClassVar = [
        "name",
        Column("week", label=gettext_lazy("Week"), accessor=summary),
        "time_zone",
        WordColumn(
            "now",
            words={"good": pgettext_lazy("office", "Open"), "closed": pgettext_lazy("office", "Closed")},
            label=gettext_lazy("Now"),
            accessor=_now,
        ),
    ]
    search_fields: ClassVar = ["name", "time_zone"]
    ordering: ClassVar = ["name"]
    prefetch_related = ("shifts", "holidays")
    save_service = staticmethod(save_hours)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The same for new and known hours."""
        return HoursForm
