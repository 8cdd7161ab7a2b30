"""Wake-ups inside one process. Losing one costs a moment, never a message: every loop also looks by itself."""

from __future__ import annotations

import threading

from django.db import transaction

processing_event = threading.Event()
sending_event = threading.Event()
pages_event = threading.Event()


def processing() -> None:
    """After commit, let the processing loop of this process look at once."""
    transaction.on_commit(processing_event.set)


def sending() -> None:
    """After commit, let the sending loop of this process look at once."""
    transaction.on_commit(sending_event.set)


def pages() -> None:
    """After commit, let whoever draws faxes in this process look at once."""
    transaction.on_commit(pages_event.set)
