"""The desk's pages at 1,000 and at 100,000 tickets: milliseconds in the server, and queries.

The two offices are measured in turns, page by page, so that whatever else the machine does hits both. The small one is
young and busy: its views show as many rows as those of the large one, as far as the figures' `rows` say so. A page of
twenty rows beside a nearly empty one would tell how long rows take to draw, and nothing of the number of tickets.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from bench.figure import Figure, percentile
from bench.scratch import database

SMALL, LARGE, ROUNDS, LOADS = 1_000, 100_000, 4, 10


def addresses(agent: Any) -> Iterator[tuple[str, str]]:
    """Name and path of every page that is measured."""
    from django.urls import reverse

    from crm.service.models import Ticket
    from inbox import queries

    start, rows = reverse("inbox:list"), reverse("inbox:rows")
    yield "inbox", start
    for view in queries.views_of(agent, queries.queues_of(agent)[:2]):
        yield f"view {view.key}", f"{rows}?view={view.key}"
    yield "counts", reverse("inbox:counts")
    for name, words in (
        ("frequent word", "coffee"),
        ("rare word", "part00123"),
        ("two words", "refund part0012"),
        ("chinese", "漏水"),
        ("nothing", "zzzz"),
    ):
        yield f"search {name}", f"{rows}?view=all&q={words}"
    yield "filter", f"{rows}?view=all&status=open&priority=2&priority=3&tag=refund"
    newest = Ticket.objects.visible_to(agent).filter(status="open").order_by("-activity_at").first()
    if newest is not None:
        yield "one customer", f"{rows}?view=all&customer={newest.customer_id}"
        yield "ticket", reverse("inbox:ticket", args=[newest.number])
        yield FIRST, reverse("inbox:ticket", args=[newest.number])
        yield "history", reverse("inbox:why", args=[newest.number])


FIRST = "ticket, for the first time after a while"
"""Reading it is noted, and so is that the colleague is at work."""


class Office:
    """One database, and whoever looks at its pages."""

    def __init__(self, url: str, count: int, *, busy: bool) -> None:
        from django.core.management import call_command

        self.name = urlsplit(url).path[1:]
        self.enter()
        call_command("migrate", verbosity=0)
        call_command("make_tickets", count=count, busy=busy, stdout=sys.stderr)
        self.people = list(self._people())
        self.pages = {
            f"{person}, {name}": (client, user, path)
            for person, client, user in self.people
            for name, path in addresses(user)
        }

    def enter(self) -> None:
        """Let Django work on this database from now on."""
        from django.db import connection

        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        connection.settings_dict["NAME"] = self.name

    def _people(self) -> Iterator[tuple[str, Any, Any]]:
        from django.test import Client

        from crm.organisation import services
        from crm.organisation.models import User
        from inbox.models import SavedView

        boss = User.objects.create(email="boss@halden.example", name="Boss", password="!")  # noqa: S106
        services.set_roles(boss, ["supervisor"])
        SavedView.objects.create(name="High", filters={"priority": ["3", "4"], "status": ["new", "open"]})
        for person, user in (("agent", User.objects.get(email="bulk01@halden.example")), ("supervisor", boss)):
            client = Client(headers={"host": "127.0.0.1"})
            client.force_login(user, backend="crm.organisation.backends.PasswordBackend")
            yield person, client, user

    def load(self, page: str) -> tuple[float, int]:
        """Milliseconds and rows of one answer. Raises SystemExit when it is no page."""
        client, user, path = self.pages[page]
        if page.endswith(FIRST):
            self._forget(client, user)
        began = time.perf_counter()
        response = client.get(path)
        took = (time.perf_counter() - began) * 1000
        if response.status_code != 200:
            sys.exit(f"{path} answered {response.status_code}")
        return took, response.content.count(b"data-row=")

    def queries(self, page: str) -> int:
        """Statements of one answer, BEGIN and COMMIT counted."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        client, user, path = self.pages[page]
        if page.endswith(FIRST):
            self._forget(client, user)
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
            return len(connection.queries_log) - asked.initial_queries

    def _forget(self, client: Any, user: Any) -> None:
        from inbox.models import TicketSeen

        TicketSeen.objects.filter(user=user).delete()
        session = client.session
        session["seen_at"] -= 1000
        session.save()


def measure(small: Office, large: Office) -> Iterator[tuple[str, dict[Office, list[float]], dict[Office, int]]]:
    """Of each page: times by office, and rows by office."""
    for page in large.pages:
        times: dict[Office, list[float]] = {small: [], large: []}
        rows: dict[Office, int] = {}
        for _ in range(ROUNDS):
            for office in (small, large):
                office.enter()
                office.load(page)
                for _ in range(LOADS):
                    took, rows[office] = office.load(page)
                    times[office].append(took)
        yield page, times, rows


def main(name: str) -> None:
    """The reference of each figure is the same page in the small office."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("collectstatic", verbosity=0, interactive=False)
    with tempfile.TemporaryDirectory() as folder, database("postgresql", folder) as url:
        small = Office(url, SMALL, busy=True)
        large = Office(os.environ["DATABASE_URL"], LARGE, busy=False)
        slowest, most = 0.0, 0
        for page, times, rows in measure(small, large):
            asked = large.queries(page)
            shown = f"rows {rows[large]}, reference {rows[small]}"
            for share, goal in ((50, "<= 1.5 times"), (95, "<= 80, <= 1.5 times")):
                value, reference = percentile(times[large], share), percentile(times[small], share)
                Figure(f"{name}: {page}, p{share}", value, "ms", reference, goal, shown).tell()
            Figure(f"{name}: {page}, queries", asked, "queries", 15, "<= 15").tell()
            slowest, most = max(slowest, percentile(times[large], 95)), max(most, asked)
        Figure(f"{name}: slowest page, p95", slowest, "ms", 80, "<= 80").tell()
        Figure(f"{name}: most queries", most, "queries", 15, "<= 15").tell()
        large.enter()  # so that nobody holds the small database when it is dropped


if __name__ == "__main__":
    main(sys.argv[1])
