"""A rule is tried on what really happened."""

from __future__ import annotations

from typing import Any

from inbox import past, rules
from routing import registry
from tests import factories


def test_past_messages_know_every_fact_that_new_ones_have() -> None:
    assert set(past.FACTS) == set(rules.FACTS)


def test_every_fact_of_a_past_message_can_be_read(ticket: Any, supervisor: Any) -> None:
    (case,) = registry.history("message.received")(supervisor, 10)
    values = {
        fact.name: case.facts[fact.name] for fact in registry.facts("message.received") if fact.name in case.facts
    }
    assert values["sender"] == "anna@customer.test" and values["body"] == "Water runs out below."
    assert values["queue"] == "Support" and values["is_first_message"] is True
    assert case.url == f"/desk/inbox/{ticket.number}/"


def test_only_what_one_may_see_is_tried(ticket: Any, agent: Any, other_queue: Any) -> None:
    hidden = factories.TicketFactory(queue=other_queue)
    factories.MessageFactory(ticket=hidden)
    for event in ("message.received", "ticket.opened", "ticket.changed", "ticket.idle", "ticket.escalated"):
        assert [case.url for case in registry.history(event)(agent, 10)] == [f"/desk/inbox/{ticket.number}/"], event


def test_what_a_rule_may_ask_is_offered_in_groups(login: Any, supervisor: Any) -> None:
    page = login(supervisor).get("/desk/rules/new/").content.decode()
    offered = page[page.index('name="c1-fact"') :].partition("</select>")[0]
    groups = dict(part.split('">', 1) for part in offered.split('<optgroup label="')[1:])
    assert list(groups) == [
        "Ticket",
        "Customer",
        "Message",
        "Web chat",
        "Web chat / Phone",
        "Phone / Fax",
        "Phone",
        "Fax",
    ]
    assert 'value="customer_level"' in groups["Customer"] and 'value="pages"' in groups["Fax"]
