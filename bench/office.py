"""A help desk with a hundred rules, for measurements."""

from __future__ import annotations

from typing import Any

from inbox.models import Channel, Template, TemplateText
from routing.models import BusinessHours, KeywordSet, Queue, Rule, Shift, SLAPolicy


def set_up(address: str = "support@example.com", *, rules: int = 100, **settings: Any) -> Channel:
    """One mailbox that acknowledges new tickets, queues with promises, keyword sets, and 100 active rules."""
    from datetime import time

    hours = BusinessHours.objects.create(name="Office", time_zone="Europe/Berlin")
    Shift.objects.bulk_create(Shift(hours=hours, weekday=day, opens=time(8), closes=time(18)) for day in range(5))
    sla = SLAPolicy.objects.create(name="Standard", hours=hours, first_answer=240, next_answer=480, solution=2400)
    queues = [Queue.objects.create(name=f"Queue {n}", hours=hours, sla=sla) for n in range(8)]
    template = Template.objects.create(name="Acknowledgement", purpose=Template.Purpose.AUTOMATIC)
    TemplateText.objects.bulk_create(
        TemplateText(template=template, language=language, subject="{{ ticket.subject }}", body=body)
        for language, body in (
            ("en", "Dear {{ contact.name }}, we have your message. Its number is {{ ticket.number }}."),
            ("zh-hans", "{{ contact.name }}，您好，我们已收到您的来信，工单号 {{ ticket.number }}。"),
        )
    )
    KeywordSet.objects.bulk_create(
        [
            KeywordSet(name="complaint", words="broken\nerror\nnothing happens"),
            KeywordSet(name="order", words="order\ndelivery\n订单"),
        ]
    )
    for number in range(rules):
        _rule(number, queues)
    return Channel.objects.create(
        name="Support", kind="email", address=address, queue=queues[0], acknowledge=template, settings=settings
    )


def _rule(number: int, queues: list[Queue]) -> None:
    """Rules as people have them: most look at words, senders or intents, a few match every mail."""
    target = {"action": "set_queue", "queue": str(queues[number % 8].pk)}
    kinds: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = [
        ([{"fact": "subject", "operator": "contains", "value": f"contract {number}"}], [target]),
        ([{"fact": "sender_domain", "operator": "is", "value": f"customer{number}.example.net"}], [target]),
        (
            [
                {"fact": "body", "operator": "contains", "value": f"serial {number:04d}"},
                {"fact": "has_attachments", "operator": "yes"},
            ],
            [{"action": "add_tags", "tags": [f"serial-{number}"]}],
        ),
        (
            [
                {"fact": "language", "operator": "is", "value": "ja"},
                {"fact": "subject", "operator": "matches", "value": rf"注文\s?{number}\b"},
            ],
            [target],
        ),
        (
            [
                {"fact": "intents", "operator": "one_of", "value": ["complaint"]},
                {"fact": "subject", "operator": "contains", "value": f"#{number}"},
            ],
            [{"action": "set_priority", "priority": "3"}, {"action": "add_tags", "tags": ["complaint"]}],
        ),
    ]
    items, actions = kinds[number % len(kinds)]
    rule = Rule(name=f"Rule {number}", position=number, conditions={"match": "all", "items": items}, actions=actions)
    rule.full_clean()
    rule.save()
