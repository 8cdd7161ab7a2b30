"""Who gets an automatic answer, and that no loop comes of it (S-47, S-49, RFC 3834)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inbox.models import Delivery, Message, RawMessage
from inbox.services.accept import accept
from inbox.services.processing import process, process_waiting
from tests.inbox.intake.conftest import letter


def automatic() -> list[str]:
    return list(Delivery.objects.filter(purpose="automatic").values_list("recipient", flat=True))


def test_a_new_ticket_is_acknowledged_once_in_its_language(receive: Any) -> None:
    raw = receive("Guten Tag, meine Maschine ist undicht und ich hätte gern eine neue Dichtung, vielen Dank.")
    assert raw.answer == "queued" and automatic() == ["anna@customer.test"]
    message = Message.objects.get(kind="automatic")
    assert message.text == f"Guten Tag Anna Schmidt, Ihre Nummer ist {raw.ticket.number}."
    assert (message.subject, message.language) == ("Ihre Nachricht", "de")


def test_a_chinese_customer_is_answered_in_chinese(receive: Any) -> None:
    raw = receive("你好，我的咖啡机漏水了，请问什么时候可以上门维修？谢谢。", subject="咖啡机漏水")
    assert Message.objects.get(kind="automatic").text == f"Anna Schmidt，您好，工单号 {raw.ticket.number}。"


def test_an_unknown_language_falls_back_to_the_channels(receive: Any) -> None:
    receive("Дорогая поддержка, моя машина протекает, помогите пожалуйста, спасибо большое.")
    assert Message.objects.get(kind="automatic").language == "en"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"Precedence": "list"},
        {"Precedence": "junk"},
        {"List_Id": "<news.shop.test>"},
        {"X_Loop": "support@example.com"},
        {"X_Autoreply": "yes"},
        {"Return_Path": "<>"},
        {"sender": "Mail Delivery <mailer-daemon@customer.test>"},
        {"sender": "postmaster@customer.test"},
        {"sender": "no-reply@customer.test"},
    ],
    ids=lambda h: next(iter(h.items()))[0] + ":" + next(iter(h.items()))[1],
)
def test_machines_get_no_answer(receive: Any, headers: dict[str, str]) -> None:
    raw = receive("Ticket created.", **headers)
    assert automatic() == [] and raw.answer.startswith("written by a machine")


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Spam_Flag": "YES"},
        {"X_Spam_Status": "Yes, score=9.1 required=5.0"},
        {"X_Spam": "yes"},
        {"X_MS_Exchange_Organization_SCL": "6"},
    ],
    ids=lambda h: next(iter(h)),
)
def test_spam_opens_a_ticket_and_gets_no_answer(receive: Any, headers: dict[str, str]) -> None:
    """The sender of spam is forged as a rule: an answer would hit a third person."""
    raw = receive("Cheap watches.", **headers)
    assert (raw.outcome, raw.answer, automatic()) == ("opened", "marked as spam", [])


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "no"},
        {"X_Auto_Response_Suppress": "All"},
        {"X_Spam_Flag": "NO"},
        {"X_Spam_Status": "No, score=-1.9 tests=YES"},
        {"X_MS_Exchange_Organization_SCL": "-1"},
    ],
)
def test_what_people_send_is_answered(receive: Any, headers: dict[str, str]) -> None:
    assert receive("My machine leaks.", **headers).answer == "queued"


@pytest.mark.parametrize("sender", ["Sales <sales@example.com>", "Support+Berlin@Example.com"])
def test_mail_from_our_own_address_gets_no_answer(receive: Any, sales: Any, sender: str) -> None:
    raw = receive("Please take over.", sender=sender)
    assert (raw.answer, automatic()) == ("from one of our own addresses", [])


def test_a_follow_up_is_not_acknowledged_again(receive: Any) -> None:
    receive("It leaks.", mail_id="a@x.test")
    raw = receive("And smells.", In_Reply_To="<a@x.test>")
    assert (raw.answer, len(automatic())) == ("not a new ticket", 1)


def test_another_help_desk_without_any_header_is_stopped_after_three(receive: Any) -> None:
    outcomes = [
        receive(f"We have received your request {n}.", sender="desk@other.test", subject=f"Re: your request {n}").answer
        for n in range(6)
    ]
    assert outcomes[:3] == ["queued"] * 3 and len(automatic()) == 3
    assert set(outcomes[3:]) == {"too many automatic answers to this address"}


def test_a_help_desk_that_writes_from_a_new_address_each_time_is_stopped_too(receive: Any) -> None:
    def echo(number: int, ticket: Any, host: str = "other.test") -> Any:
        subject = f"Case {number} was opened: We have your message [Ticket#{ticket.number}]"
        return receive(f"Your number here is {number}.", sender=f"case-{number}@{host}", subject=subject)

    raws = [receive("Can you help?", sender="case-0@other.test")]
    for number in range(1, 5):
        raws.append(echo(number, raws[-1].ticket))
    stopped = "too many automatic answers to this domain"
    assert [raw.answer for raw in raws] == ["queued"] * 4 + [stopped]
    assert echo(5, raws[2].ticket).answer == stopped
    assert receive("A new matter.", sender="someone.else@other.test").answer == "queued"
    colleague = echo(9, receive("It leaks.", sender="anna@customer.test").ticket, host="customer.test")
    assert (colleague.outcome, colleague.answer) == ("opened", "queued")


def test_what_stands_behind_a_plus_makes_no_new_mailbox(receive: Any) -> None:
    """A help desk that writes from an address of its own for each ticket, and names none of ours, ends too."""

    def opened(number: int, mailbox: str = "ticket") -> Any:
        subject = f"We have received your request {number}"
        return receive(f"It has the number {number}.", sender=f"{mailbox}+{number}@other.test", subject=subject).answer

    stopped = "too many automatic answers to this mailbox"
    assert [opened(number) for number in range(6)] == ["queued"] * 3 + [stopped] * 3
    assert len(automatic()) == 3
    assert opened(1, "anna") == "queued"
    assert receive("A new matter.", sender="ticket@other.test").answer == "queued"


def test_the_limit_holds_within_one_batch(mailbox: Any) -> None:
    for n in range(8):
        accept(mailbox, letter(f"Request {n}.", sender="desk@other.test", subject=f"Request {n}"))
    process_waiting()
    assert len(automatic()) == 3 and RawMessage.objects.filter(answer="queued").count() == 3


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_limit_holds_between_two_workers(receive: Any, mailbox: Any, at_the_same_time: Any) -> None:
    for n in range(2):
        receive(f"Request {n}.", sender="desk@other.test", subject=f"Request {n}")
    rows = [accept(mailbox, letter(f"More {n}.", sender="desk@other.test", subject=f"More {n}")) for n in range(2)]
    at_the_same_time(rows)
    assert RawMessage.objects.filter(outcome="opened").count() == 4
    assert len(automatic()) == 3


def test_ten_a_day_is_the_end(receive: Any) -> None:
    for n in range(10):
        receive(f"Request {n}.", sender="desk@other.test", subject=f"Request {n}")
        Delivery.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert len(automatic()) == 10
    assert receive("Once more.", sender="desk@other.test").answer == "too many automatic answers to this address"


def test_a_rule_answers_instead_of_the_acknowledgement(receive: Any) -> None:
    from routing.models import Rule
    from tests import factories

    template = factories.TemplateFactory(name="Leak", purpose="automatic", texts={"en": ("Leak", "Turn it off.")})
    Rule.objects.create(
        name="leaks",
        conditions={"match": "all", "items": [{"fact": "subject", "operator": "contains", "value": "leak"}]},
        actions=[{"action": "auto_answer", "template": str(template.pk)}],
    )
    assert receive("Help!").answer == "queued"
    assert list(Message.objects.filter(kind="automatic").values_list("text", flat=True)) == ["Turn it off."]


def test_merge_fields_of_an_attacker_are_text(receive: Any) -> None:
    receive("Hi", sender='"{{ ticket.number }}{% now %}" <eve@evil.test>')
    assert "{{ ticket.number }}{% now %}" in Message.objects.get(kind="automatic").text


def test_a_form_is_acknowledged_by_mail(mailbox: Any, acknowledgement: Any) -> None:
    from inbox.channels.webform.adapter import pack
    from tests import factories

    form = factories.ChannelFactory(
        kind="webform", name="Form", address="", queue=mailbox.queue, acknowledge=acknowledgement
    )
    content = pack(name="Anna", email="anna@customer.test", subject="Leak", text="My machine leaks.")
    raw = process(accept(form, content))
    delivery = Delivery.objects.get()
    assert (raw.answer, delivery.channel, delivery.recipient) == ("queued", mailbox, "anna@customer.test")
    assert delivery.mail_id.endswith("@example.com")


def test_without_a_channel_that_sends_a_form_gets_no_answer(queue: Any, acknowledgement: Any) -> None:
    from inbox.channels.webform.adapter import pack
    from tests import factories

    form = factories.ChannelFactory(kind="webform", name="Form", address="", queue=queue, acknowledge=acknowledgement)
    raw = process(accept(form, pack(name="Anna", email="anna@customer.test", subject="Leak", text="It leaks.")))
    assert (raw.outcome, raw.answer, automatic()) == ("opened", "no channel can send an answer", [])
