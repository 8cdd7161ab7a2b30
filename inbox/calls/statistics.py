"""Call statistics: the page, and the same figures as a file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseBadRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.staff.export import rows_as_file
from crm.organisation import access
from inbox.calls import figures, queries
from inbox.calls.access import CallsView
from inbox.models import Call
from inbox.services.call_journal import clock

PERIODS = (
    ("7", gettext_lazy("7 days")),
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
)
USUAL = 7
COLUMNS = (
    ("answered", gettext_lazy("Answered")),
    ("missed", gettext_lazy("Missed")),
    ("share", gettext_lazy("Answered, share")),
    ("reached", gettext_lazy("Made and reached")),
    ("unreached", gettext_lazy("Made, but not reached")),
    ("wait", gettext_lazy("Wait, average seconds")),
    ("talk", gettext_lazy("Talk, average seconds")),
    ("talked", gettext_lazy("Talk, total seconds")),
)


class StatisticsPage(CallsView):
    """Answered, missed, waiting and talking in a period, by day, hour, agent or queue."""

    template_name = "inbox/calls/statistics.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page, or its table as a file."""
        try:
            self.asked = self._asked(request)
        except queries.AskedWrong:
            return HttpResponseBadRequest("There is no such period.", content_type="text/plain")
        self.by = request.GET.get("by", "day")
        if self.by not in dict(figures.BY):
            return HttpResponseBadRequest("There is no such table.", content_type="text/plain")
        self.calls = queries.narrow(Call.objects.visible_to(request.user), self.asked, request.user)  # type: ignore[arg-type]
        self.rows = figures.grouped(self.calls, self.by, self.since, self.until)
        if request.GET.get("export") in ("csv", "xlsx"):
            head = [str(dict(figures.BY)[self.by]), *(str(label) for _name, label in COLUMNS)]
            body = [[row.label, *(_cell(row, name) for name, _label in COLUMNS)] for row in self.rows]
            return rows_as_file(
                request, "call-statistics", gettext_lazy("call statistics"), head, body, request.GET["export"]
            )
        return super().get(request, *args, **kwargs)

    def _asked(self, request: HttpRequest) -> queries.Asked:
        """The filter of the log, with a period that is not too long. Raises AskedWrong."""
        asked = queries.Asked.of({name: request.GET.get(name, "") for name in ("queue", "agent", "since", "until")})
        self.until = asked.until or timezone.localdate()
        days = request.GET.get("days", "")
        if days and days not in dict(PERIODS):
            raise queries.AskedWrong("no such period")
        self.days = days or ("" if asked.since else str(USUAL))
        self.since: date = asked.since or self.until - timedelta(days=int(self.days or USUAL) - 1)
        if self.since > self.until or self.until - self.since > figures.LONGEST:
            raise queries.AskedWrong("no such period")
        return replace(asked, since=self.since, until=self.until)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Totals, charts and the table."""
        from inbox.calls import charts  # pygal takes 8 MB that no other page needs

        user = self.request.user
        together = figures.total(self.calls)
        hours = self.rows if self.by == "hour" else figures.grouped(self.calls, "hour", self.since, self.until)
        days = self.rows if self.by == "day" else figures.grouped(self.calls, "day", self.since, self.until)
        lines = [("answered", _("Answered")), ("missed", _("Missed"))]
        return super().get_context_data(
            asked=self.asked,
            since=self.since,
            until=self.until,
            days=self.days,
            periods=PERIODS,
            by=self.by,
            tables=figures.BY,
            rows=self.rows,
            total=together,
            by_day=charts.stacked(days, lines, title=_("Incoming calls by day")),
            by_hour=charts.stacked(hours, lines, title=_("Incoming calls by hour")),
            queues=queries.queues_of(user, access.sees_all_tickets(user)),
            figures=[
                (
                    _("Answered"),
                    str(together.answered),
                    f"{round(100 * together.share)} %" if together.incoming else "",
                ),
                (_("Missed"), str(together.missed), ""),
                (_("Calls we made"), str(together.outgoing), _("%d reached") % together.reached),
                (_("Average wait"), clock(_whole(together.wait)) or "–", ""),
                (_("Average talk"), clock(_whole(together.talk)) or "–", ""),
            ],
            **kwargs,
        )

    def get_page_title(self) -> str:
        """The heading."""
        return _("Call statistics")


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def _cell(row: figures.Figures, name: str) -> Any:
    value = getattr(row, name)
    if name == "share":
        return round(value, 4)
    return round(value) if isinstance(value, float) else value
