"""How many mails a second one process takes from the door to a routed ticket with its automatic answer queued."""

from __future__ import annotations

import sys
import time

from bench.figure import Figure

BATCH = 100
"""Mails that a mailbox hands over at once, and that the processing loop claims at once."""


def main(name: str) -> None:
    """Measure on the database of the environment. The reference is the pure reading rate of the same mails."""
    import django

    django.setup()
    from django.core.management import call_command

    from bench import corpus, office
    from inbox import effects
    from inbox.channels import registry
    from inbox.models import Delivery, RawMessage
    from inbox.services.accept import Arrival, accept_many
    from inbox.services.processing import process_waiting

    contents = corpus.mails()
    # The corpus has 400 senders for 2,000 mails: with the usual limits most of them would get no answer.
    effects.PER_HOUR = effects.PER_DAY = len(contents)
    call_command("migrate", verbosity=0)
    channel = office.set_up()
    adapter = registry.adapter("email")
    for content in contents[:50]:
        adapter.read(content, channel.settings)

    began = time.perf_counter()
    for content in contents:
        adapter.read(content, channel.settings)
    reading = len(contents) / (time.perf_counter() - began)

    began = time.perf_counter()
    for start in range(0, len(contents), BATCH):
        arrivals = [
            Arrival(content, folder="INBOX", uidvalidity=1, uid=start + n)
            for n, content in enumerate(contents[start : start + BATCH], 1)
        ]
        accept_many(channel, arrivals)
        while process_waiting(BATCH):
            pass
    rate = len(contents) / (time.perf_counter() - began)

    opened = RawMessage.objects.filter(outcome=RawMessage.Outcome.OPENED).count()
    done = RawMessage.objects.filter(state=RawMessage.State.DONE).count()
    answers = Delivery.objects.filter(purpose=Delivery.Purpose.AUTOMATIC).count()
    if done != len(contents) or answers != opened:
        sys.exit(f"{done} of {len(contents)} done, {opened} opened, {answers} answers queued")
    Figure(name, rate, "mails/s", reading, ">= 168, aim 420").tell()


if __name__ == "__main__":
    main(sys.argv[1])
