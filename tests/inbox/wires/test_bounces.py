"""A failure report finds its delivery: by the signed return path, or by the Message-ID that it quotes."""

from __future__ import annotations

import pytest

from inbox.channels.base import DeliveryReport
from inbox.channels.email import tokens
from inbox.models import Delivery
from inbox.services import deliveries
from tests import factories

pytestmark = pytest.mark.django_db
S = Delivery.State


@pytest.fixture
def sent(channel):
    mail_id = tokens.new_message_id(7, "example.com")
    return factories.DeliveryFactory(channel=channel, mail_id=mail_id, state=S.SENT)


def report(**fields):
    return DeliveryReport(("anna@customer.test",), True, "5.1.1", "no such user", **fields)


def test_by_the_return_path(sent):
    to = tokens.return_path("support@example.com", sent.mail_id).upper()
    found = deliveries.bounced(report(), delivered_to=["support@example.com", to])
    assert (found, found.state, found.response) == (sent, S.FAILED, "5.1.1 no such user")
    assert found.bounced_at is not None


def test_by_the_quoted_id(sent):
    assert deliveries.bounced(report(original_message_id=f"<{sent.mail_id}>")) == sent


def test_a_delay_is_only_noted(sent):
    delay = DeliveryReport((), False, "4.4.1", "still trying", original_message_id=sent.mail_id)
    assert deliveries.bounced(delay).state == S.SENT
    sent.refresh_from_db()
    assert (sent.response, sent.bounced_at) == ("4.4.1 still trying", None)


def test_a_forged_return_path_finds_nothing(sent):
    forged = tokens.return_path("support@example.com", sent.mail_id)
    forged = forged.replace("+bt7-", "+bt8-")
    assert deliveries.bounced(report(original_message_id="t7-guessed@example.com"), delivered_to=[forged]) is None
    sent.refresh_from_db()
    assert sent.state == S.SENT


def test_what_arrived_is_not_sent_again(sent):
    assert deliveries.retry(sent, by=None) is False
    deliveries.bounced(report(original_message_id=sent.mail_id))
    assert deliveries.retry(sent, by=None) is True
    sent.refresh_from_db()
    assert (sent.state, sent.attempts) == (S.QUEUED, 0)
