"""The desk's pages at 1,000 and at 100,000 tickets: milliseconds in the server, and queries."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

from bench.figure import Figure, percentile

SMALL, LARGE, RUNS = 1_000, 100_000, 30


def addresses(agent: Any) -> Iterator[tuple[str, str]]:
    """Name and path of every page that is measured."""
    from django.urls import reverse

    from crm.service.models import Ticket
    from inbox import queries

    start = reverse("inbox:list")
    yield "inbox", start
    for view in queries.views_of(agent, queries.queues_of(agent)[:2]):
        yield f"view {view.key}", f"{reverse('inbox:rows')}?view={view.key}"
    yield "counts", reverse("inbox:counts")
    for name, words in (
        ("frequent word", "coffee"),
        ("rare word", "part00123"),
        ("chinese", "漏水"),
        ("nothing", "zzzz"),
    ):
        yield f"search {name}", f"{reverse('inbox:rows')}?view=all&q={words}"
    yield "filter", f"{reverse('inbox:rows')}?view=all&status=open&priority=3&tag=refund"
    newest = Ticket.objects.visible_to(agent).filter(status="open").order_by("-activity_at").first()
    if newest is not None:
        yield "ticket", reverse("inbox:ticket", args=[newest.number])
        yield "history", reverse("inbox:why", args=[newest.number])


def measure() -> dict[str, tuple[float, float, int]]:
    """Median and p95 in milliseconds, and queries, by person and page. Raises SystemExit for a page that fails."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from crm.organisation import services
    from crm.organisation.models import User
    from inbox.models import SavedView

    found = {}
    boss, fresh = User.objects.get_or_create(email="boss@halden.example", defaults={"name": "Boss", "password": "!"})
    if fresh:
        services.set_roles(boss, ["supervisor"])
        filters = {"priority": ["3", "4"], "status": ["new", "open"]}
        SavedView.objects.create(name="High", filters=filters)
    for person, user in (("agent", User.objects.get(email="bulk01@halden.example")), ("supervisor", boss)):
        client = Client(headers={"host": "127.0.0.1"})
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        for name, path in addresses(user):
            with CaptureQueriesContext(connection) as queries:
                response = client.get(path)
            asked = len(queries)  # the next request empties the log
            if response.status_code != 200:
                sys.exit(f"{path} answered {response.status_code}")
            times = []
            for _ in range(RUNS):
                began = time.perf_counter()
                client.get(path)
                times.append((time.perf_counter() - began) * 1000)
            found[f"{person}, {name}"] = (percentile(times, 50), percentile(times, 95), asked)
    return found


def main(name: str) -> None:
    """The reference of each figure is the same page at 1,000 tickets."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("collectstatic", verbosity=0, interactive=False)
    call_command("migrate", verbosity=0)
    call_command("make_tickets", count=SMALL, stdout=sys.stderr)
    small = measure()
    call_command("make_tickets", count=LARGE - SMALL, seed=8, stdout=sys.stderr)
    large = measure()
    worst = max(large, key=lambda page: large[page][1])
    most = max(large, key=lambda page: large[page][2])
    for page, (p50, p95, queries) in large.items():
        Figure(f"{name}: {page}, p50", p50, "ms", small[page][0], "<= 1.5 times").tell()
        Figure(f"{name}: {page}, p95", p95, "ms", small[page][1], "<= 80, <= 1.5 times").tell()
        Figure(f"{name}: {page}, queries", queries, "queries", small[page][2], "<= 15").tell()
    Figure(f"{name}: slowest page ({worst}), p95", large[worst][1], "ms", small[worst][1], "<= 80").tell()
    Figure(f"{name}: most queries ({most})", large[most][2], "queries", small[most][2], "<= 15").tell()


if __name__ == "__main__":
    main(sys.argv[1])
