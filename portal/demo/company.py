"""Makes the demo company, once."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from crm.organisation.models import User
from portal.demo import calls, chats, clock, faxes, history, office, people, plans, texts


def exists() -> bool:
    """True when it was made before."""
    return User.objects.filter(email=f"admin@{people.DOMAIN}").exists()


def make() -> None:
    """The whole company with its past, in one transaction: an interrupted attempt leaves nothing behind."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # Nothing here is worth waiting for the disk: it is made again when it is lost.
            cursor.execute("PRAGMA synchronous=OFF")
    now = timezone.now().replace(microsecond=0)
    with transaction.atomic(), clock.past() as watch:
        watch.set(now - timedelta(days=60))
        staff = people.hire()
        everybody = people.People(staff, people.register_customers(staff))
        rooms = office.set_up(staff, texts.write())
        stories = history.read_stories(everybody)
        line = faxes.channel(rooms.queues["Service Europe"])
        talks = chats.steps(chats.set_up(rooms.queues["Service Europe"]), staff, now)
        further = [*faxes.steps(line, everybody, now), *talks, *calls.steps(rooms, everybody, watch, now)]
        history.Player(rooms, everybody, watch, now).play(stories, further)
        plans.make(everybody, rooms, watch, now)
