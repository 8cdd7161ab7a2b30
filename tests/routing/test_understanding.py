"""Numbers and intents in texts without structure."""

import time

import pytest

from routing.models import KeywordSet
from routing.understanding import Numbers, intents, numbers


@pytest.mark.parametrize(
    ("text", "tickets", "orders"),
    [
        ("Re: [Ticket#123456] hello", ["123456"], []),
        ("see #123456 and order no. A-1001", ["123456"], ["A-1001"]),
        ("my case 654321, Ticket: 123456, ticket 123456", ["654321", "123456"], []),
        ("工单号：100023 一直没有回复", ["100023"], []),
        ("订单号：20260001 没有到", [], ["20260001"]),
        ("我的订单20260001怎么还没发货", [], ["20260001"]),
        ("訂單編號 TW-8899", [], ["TW-8899"]),
        ("注文番号：12345678", [], ["12345678"]),
        ("주문번호 12345678", [], ["12345678"]),
        ("Ｏｒｄｅｒ　ｎｏ．１２３４５", [], ["12345"]),
        ("Bestellnummer 4711-22, Bestell-Nr.: 998877", [], ["4711-22", "998877"]),
        ("Ihre Auftragsnummer AB12345.", [], ["AB12345"]),
        ("numéro de commande : 55512", [], ["55512"]),
        ("Pedido nº 4455", [], ["4455"]),
        ("Order #1001", [], ["1001"]),
        ("order number po-77/12", [], ["PO-77/12"]),
        ("order #123456", [], ["123456"]),
        # no numbers of ours
        ("order 3 chairs", [], []),
        ("order 2026-11-23", [], []),
        ("order no. 23.11.2026", [], []),
        ("the border 99999 is closed", [], []),
        ("page#123456 &#12345; https://x.test/#123456", [], []),
        ("call +49 30 123456", [], []),
        ("write to order1234567@example.com", [], []),
        ("#1234", [], []),
    ],
)
def test_numbers(text, tickets, orders):
    assert numbers(text) == Numbers(tuple(tickets), tuple(orders))


def test_staff_can_add_words_for_numbers():
    sets = [
        KeywordSet(name="Orders", kind="order", words="Vorgang\nmachine (serial)"),
        KeywordSet(name="Off", kind="ticket", words="Akte", active=False),
        KeywordSet(name="Intent", kind="intent", words="Fall"),
    ]
    assert numbers("Vorgang 12345, machine (serial) 778899, Akte 55555, Fall 66666", sets) == Numbers(
        (), ("12345", "778899")
    )


COMPLAINT = KeywordSet(
    name="complaint",
    words="complaint\nvery slow\nrefund\ncancel\n投诉\n退 款\nbeschwer*\nreply\nbus\n환불\ncafé\n\n  \n!!",
)
ORDER = KeywordSet(name="order", words="order\n订单")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I have two COMPLAINTS", ["complaint"]),
        ("I want to be refunded", ["complaint"]),
        ("cancelled, cancelling", ["complaint"]),
        ("no replies at all", ["complaint"]),
        ("it is VERY\n slow!", ["complaint"]),
        ("Ihre Beschwerdestelle", ["complaint"]),
        ("我要投\n诉你们", ["complaint"]),
        ("请退款", ["complaint"]),
        ("환불해 주세요", ["complaint"]),
        ("cafe\u0301", ["complaint"]),
        ("ＲＥＦＵＮＤ the orders", ["complaint", "order"]),
        ("订单", ["order"]),
        ("the border, disorder, reorder", []),
        ("business as usual", []),
        ("very, slowly", []),
        ("", []),
    ],
)
def test_intents(text, found):
    assert intents(text, [COMPLAINT, ORDER]) == tuple(found)


def test_sets_that_are_off_or_for_numbers_do_not_count():
    off = KeywordSet(name="off", words="refund", active=False)
    other = KeywordSet(name="number", kind="order", words="refund")
    assert intents("refund", [off, other]) == ()


@pytest.mark.parametrize(
    "unit", ["order no ", "order no. 1-", "订单号", "#12345", "complaint ", "Ticket" + " " * 50, "1-", "投"]
)
def test_a_large_text_takes_no_time(unit):
    text = unit * (5_000_000 // len(unit))
    start = time.process_time()
    numbers(text)
    intents(text, [COMPLAINT, ORDER])
    assert time.process_time() - start < 2
