"""What a colleague's browser sends is stored once, however often it asks: a line may be cut before our answer."""

from __future__ import annotations

from collections.abc import Callable

from django.db import IntegrityError, transaction

from crm.organisation.models import User
from inbox.models import Message, Submission


def once(author: User, client_id: str, write: Callable[[], Message]) -> Message:
    """What `write` makes, or what it made before for this id of the browser's; without an id it is always written.

    Two requests at the same moment both write: the unique key lets one of them be.
    """
    if not client_id:
        return write()
    sent = Submission.objects.filter(author=author, client_id=client_id).select_related("message__ticket")
    if known := sent.first():
        return known.message
    try:
        with transaction.atomic():
            message = write()
            Submission.objects.create(author=author, client_id=client_id, message=message)
    except IntegrityError:
        if known := sent.first():
            return known.message
        raise
    return message
