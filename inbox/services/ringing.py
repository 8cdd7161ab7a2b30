"""Hints to the screens of those whom a call concerns. They carry no content: the page fetches the card itself."""

from __future__ import annotations

from django.db import transaction

from inbox import live
from inbox.models import Call


def tell(call: Call) -> None:
    """Once the transaction has committed, tell everybody at whom it rang, and who talks, where the call stands now."""
    people = set(call.rang.values_list("pk", flat=True)) | ({call.agent_id} if call.agent_id else set())
    hint = {"type": "call.ringing", "call": call.pk, "state": call.state}
    hints = [(f"user.{user}", hint) for user in sorted(people)]
    if hints:
        transaction.on_commit(lambda: live.push(hints), robust=True)
