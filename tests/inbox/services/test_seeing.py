"""How far a colleague has read."""

from __future__ import annotations

from typing import Any

from inbox.models import TicketSeen
from inbox.services.seeing import mark_seen


def test_the_mark_goes_forward_only(ticket: Any, agent: Any, supervisor: Any) -> None:
    for seq in (2, 5, 3):
        mark_seen(agent, ticket, seq)
    mark_seen(supervisor, ticket, 1)
    assert dict(TicketSeen.objects.values_list("user", "seq")) == {agent.pk: 5, supervisor.pk: 1}
