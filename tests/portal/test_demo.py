"""The demo company, made by the command that `make run` calls."""

from __future__ import annotations

import io
from datetime import timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from crm.customers.models import Contact, Customer, RefusedNumber
from crm.marketing.models import CallList
from crm.organisation.models import User
from crm.planning.models import Appointment, Task
from crm.service import clocks
from crm.service.models import Satisfaction, Ticket, TicketLink, TicketMerge
from inbox.models import Attachment, Channel, Delivery, Message, RawMessage, Template
from inbox.services import chats, presence, waiting_chats
from portal.demo import company, people
from routing.models import KeywordSet, Macro, Queue, Rule, RuleRun


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker):
    """The company, made once for all tests here, in a transaction around theirs."""
    with django_db_blocker.unblock(), mock.patch.object(settings, "MAIL_SINK", settings.VAR_DIR / "demo-mail"):
        around = transaction.atomic()
        around.__enter__()
        company.make()
        yield
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture
def demo(made, db, settings):
    settings.DEMO = True


def test_refuses_known_passwords_outside_a_try_out(settings, db):
    settings.DEMO = False
    with pytest.raises(CommandError, match="GUICHET_DEMO=1"):
        call_command("make_demo")
    assert not User.objects.exists()


def test_the_clock_has_nothing_of_long_ago_to_do(demo):
    assert clocks.run_idle_rules() == 0
    calls = Ticket.objects.filter(origin="phone", status="closed")
    assert calls.count() > 20
    now = timezone.now()
    assert not calls.filter(opened_at__lt=now - timedelta(days=5), activity_at__gt=now - timedelta(days=1)).exists()


def test_a_company_with_a_believable_past(demo):
    now = timezone.now()
    by_status = dict(Ticket.objects.values_list("status").annotate(Count("pk")).order_by())
    assert set(by_status) == set(Ticket.Status.values)
    assert sum(by_status.values()) == 181
    assert set(Ticket.objects.values_list("language", flat=True)) - {""} == {"en", "de", "zh-hans", "zh-hant", "ja"}
    assert Ticket.objects.filter(opened_at__gt=now).count() == 0
    assert Message.objects.filter(at__gt=now).count() == 0
    oldest = Ticket.objects.order_by("opened_at").values_list("opened_at", flat=True)[0]
    assert timedelta(days=39) < now - oldest < timedelta(days=42)
    assert Customer.objects.count() == 37
    assert Contact.objects.filter(merged_into=None, customer__isnull=False).count() >= 50
    assert Queue.objects.count() == 5
    assert Rule.objects.filter(active=True).count() == 15
    assert KeywordSet.objects.count() == 5
    assert Macro.objects.count() == 4
    assert {c.kind for c in Channel.objects.all()} == {"chat", "email", "fax", "phone", "webform"}
    for template in Template.objects.all():
        assert set(template.texts.values_list("language", flat=True)) == {"en", "zh-hans", "zh-hant"}


def test_chats_go_on_when_a_newcomer_opens_the_page(demo):
    """One waits for whoever takes it; the others are with their colleague, or wait until he comes."""
    by_name = {user.email.partition("@")[0]: user for user in User.objects.all()}
    lena, mei, sabine = (by_name[name] for name in ("agent", "mei", "supervisor"))

    def names(talks):
        return {talk.visitor.name for talk in talks}

    assert names(chats.waiting(lena)) == {"Callum Reid"}
    assert (names(chats.open_for(lena)), names(chats.open_for(mei))) == ({"Freya Lindqvist"}, {"周敏"})
    lunch = timezone.now() + timedelta(hours=5)
    with mock.patch.object(timezone, "now", return_value=lunch):
        waiting_chats.keep_line_moving()  # nobody sits at the desk: each finds his own when he comes back
        presence.beat(lena)
        waiting_chats.keep_line_moving()
        assert (names(chats.open_for(lena)), names(chats.waiting(lena))) == ({"Freya Lindqvist"}, {"Callum Reid"})
        assert names(chats.open_for(mei)) == {"周敏"}
    for seconds in (20, 40, 61):
        with mock.patch.object(timezone, "now", return_value=lunch + timedelta(seconds=seconds)):
            presence.beat(lena)
            waiting_chats.keep_line_moving()  # who is still away after a minute has left
    with mock.patch.object(timezone, "now", return_value=lunch + timedelta(seconds=61)):
        assert names(chats.open_for(mei)) == set()
        assert "周敏" in names(chats.waiting(sabine)) | names(chats.open_for(lena))


def test_everything_went_through_the_services(demo):
    assert set(RawMessage.objects.values_list("state", flat=True)) == {"done"}
    assert RawMessage.objects.filter(outcome="opened").count() == 181
    assert not RuleRun.objects.exclude(errors=[]).exists()
    said = Count("messages", filter=Q(messages__kind__in=["inbound", "outbound", "call"]))
    for ticket in Ticket.objects.annotate(said=said):
        assert ticket.message_count == ticket.said or ticket.status == "merged"
        assert ticket.events.exists()
    assert dict(Delivery.objects.values_list("state").annotate(Count("pk")).order_by())["failed"] == 1
    assert not Delivery.objects.filter(state__in=["queued", "deferred", "sending", "uncertain"]).exists()
    mails = list((settings.VAR_DIR / "demo-mail").glob("*.eml"))
    assert len(mails) == Delivery.objects.exclude(channel__kind__in=["chat", "fax"]).count()
    assert Attachment.objects.count() > 15
    assert TicketLink.objects.get().kind == "unverified"
    assert TicketMerge.objects.count() == 1
    assert Satisfaction.objects.count() >= 10


def test_history_is_told_at_the_time_it_happened(demo):
    ticket = Ticket.objects.get(subject="Thank you")
    message = ticket.messages.order_by("seq")[0]
    assert ticket.opened_at == pytest.approx(message.at, abs=timedelta(seconds=1))
    assert timezone.now() - message.at > timedelta(days=29)
    assert ticket.closed_at is not None
    assert ticket.closed_at > ticket.resolved_at > ticket.first_answered_at > ticket.opened_at
    moments = list(ticket.events.order_by("seq").values_list("at", flat=True))
    assert moments == sorted(moments)


def test_people_can_log_in(demo, client):
    for who in people.COLLEAGUES:
        user = User.objects.get(email=f"{who.address}@{people.DOMAIN}")
        assert user.roles == {who.role}
        assert user.check_password(people.PASSWORD)
    assert Ticket.objects.visible_to(User.objects.get(email="anna@kaffeehaus-schmidt.example")).count() == 13
    assert len(people.login_addresses()) == 3
    answer = client.post("/accounts/login/", {"login": "agent@halden.example", "password": people.PASSWORD})
    assert answer.status_code == 302


def test_is_made_once(demo, settings):
    out = io.StringIO()
    call_command("make_demo", stdout=out)
    assert Ticket.objects.count() == 181
    assert "Making" not in out.getvalue()
    assert "agent@halden.example" in out.getvalue()
    assert people.PASSWORD in out.getvalue()


def test_there_is_something_to_do(demo):
    assert Task.objects.filter(state="open").count() == 10
    assert Task.objects.filter(due_at__lt=timezone.now() - timedelta(hours=3)).exists()
    assert list(Appointment.objects.values_list("source", "state").order_by("id")) == [
        ("portal", "agreed"),
        ("desk", "agreed"),
    ]
    calls = CallList.objects.get()
    assert (calls.state, calls.entries.count(), calls.script.texts.count()) == ("running", 12, 3)
    assert sorted(calls.entries.exclude(outcome="").values_list("outcome", flat=True)) == [
        "agreed",
        "no-answer",
        "refused",
        "talked",
    ]
    assert RefusedNumber.objects.count() == 2
