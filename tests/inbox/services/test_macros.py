"""Several actions at one click: who did them, and why."""

from __future__ import annotations

from typing import Any

from crm.organisation.models import User
from crm.planning.models import Task
from crm.service import services
from crm.service.models import Ticket
from inbox.models import Message
from inbox.services import macros
from inbox.workspace import history
from routing.models import Macro, Rule, RuleRun


def test_the_history_names_who_pressed_and_the_macro(ticket: Ticket, agent: Any) -> None:
    Rule.objects.create(
        name="Sorry",
        event="ticket.changed",
        conditions={"match": "all", "items": [{"fact": "priority", "operator": "is", "value": 4}]},
        actions=[{"action": "add_tags", "tags": ["sorry"]}, {"action": "add_note", "text": "A rule saw it"}],
    )
    macro = Macro.objects.create(
        name="Apologise",
        actions=[
            {"action": "set_priority", "priority": "4"},
            {"action": "add_note", "text": "Call them"},
            {"action": "make_task", "title": "Call", "kind": "todo", "whom": "queue"},
        ],
    )
    macros.run_macro(macro, ticket, by=agent)
    told = [(e.actor, history.actor(e), history.in_words(e), history.reason(e)) for e in ticket.events.order_by("seq")]
    assert told == [
        (agent, "Agent", "changed the priority from Normal to Urgent", "macro “Apologise”"),
        (None, "Rule “Sorry”", "added the tag sorry", ""),
    ]
    notes = Message.objects.filter(ticket=ticket, kind="note").order_by("seq")
    assert list(notes.values_list("author", "from_name", "text")) == [
        (agent.pk, "Agent", "Call them"),
        (None, "rule: Sorry", "A rule saw it"),
    ]
    assert Task.objects.get().created_by == agent


def test_a_macro_that_names_a_colleague_who_left_says_so_and_does_nothing(
    ticket: Ticket, agent: Any, supervisor: Any, login: Any
) -> None:
    macro = Macro.objects.create(
        name="To Sabine",
        actions=[{"action": "set_priority", "priority": "4"}, {"action": "assign", "user": str(supervisor.pk)}],
    )
    User.objects.filter(pk=supervisor.pk).update(is_active=False)
    answer = login(agent).post(f"/desk/inbox/{ticket.number}/do/macro/", {"value": macro.pk})
    assert answer.status_code == 422
    assert "“assign to”: what it names is no longer there." in answer.content.decode()
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.assignee) == (2, None)


def test_a_rule_that_names_a_colleague_who_left_says_so_and_does_the_rest(
    ticket: Ticket, agent: Any, supervisor: Any
) -> None:
    Rule.objects.create(
        name="Up",
        event="ticket.changed",
        actions=[{"action": "assign", "user": str(supervisor.pk)}, {"action": "add_tags", "tags": ["seen"]}],
    )
    User.objects.filter(pk=supervisor.pk).update(is_active=False)
    services.set_priority(ticket, 4, by=agent)
    run = RuleRun.objects.earliest("pk")
    assert (run.failed, run.errors[0]["error"]) == (True, "“assign to”: what it names is no longer there.")
    assert [tag.name for tag in ticket.tags.all()] == ["seen"]


def test_a_note_of_a_rule_says_that_it_is_one(ticket: Ticket, agent: Any, login: Any) -> None:
    Rule.objects.create(
        name="Sorry",
        event="ticket.changed",
        actions=[{"action": "add_note", "text": "A rule saw it"}],
    )
    macro = Macro.objects.create(name="Up", actions=[{"action": "set_priority", "priority": "4"}])
    macros.run_macro(macro, ticket, by=agent)
    page = login(agent).get(f"/desk/inbox/{ticket.number}/").content.decode()
    assert "Rule “Sorry”" in page and "rule: Sorry" not in page
