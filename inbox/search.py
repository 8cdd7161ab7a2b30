"""The search box: tickets by number, subject, text, names and addresses, in East Asian and Latin scripts.

Words are cut here and only here, for the index and for the question alike; the database stores and intersects them
(docs/adr/0002). A run of Chinese, Japanese or Korean characters gives its characters and its pairs of neighbours, so
two characters are found wherever they stand.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from crm.service.models import NUMBER_OFFSET, Ticket, TicketQuerySet
from inbox.models import Message, TicketWords

QUESTION_LIMIT = 200
"""Characters of a question that are read; what follows is ignored."""
QUESTION_WORDS = 12
WORD_LIMIT = 60
"""Characters of a word that count."""
FIRST, MORE = 200, 5_000
"""Tickets of a list that are looked through for a word before the index is asked, and when it says too many."""
FEW = 2_000
"""Tickets that the index may name; more are a frequent word, for which a walk is cheaper."""
TICKET_WORDS = 20_000
"""Different words that are kept of one ticket: a tsvector holds at most 1 MB."""
TICKET_TEXT = 200_000
"""Characters of a ticket that are read, newest message first."""
AT_ONCE = 25
"""Tickets indexed in one transaction: whoever speaks meanwhile waits for its end."""
MESSAGES_AT_ONCE = 200
"""Messages whose texts are in memory together."""

_EAST = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"([{_EAST}]+)|([^\W_{_EAST}]+)")


def _runs(text: str) -> Iterator[tuple[str, str]]:
    plain = unicodedata.normalize("NFKC", text.encode("utf-8", "ignore").decode()).casefold()
    for found in _RUN.finditer(plain):
        yield found[1] or "", (found[2] or "")[:WORD_LIMIT]


def words(text: str) -> Iterator[str]:
    """Every word that `text` is to be found by."""
    for east, latin in _runs(text):
        if latin:
            yield latin
        yield from east
        yield from map("".join, pairwise(east))


def question(text: str) -> list[str]:
    """What is asked of the index: all of these; the last Latin word may be unfinished and ends in `*`."""
    asked: list[str] = []
    unfinished = False
    for east, latin in _runs(text[:QUESTION_LIMIT]):
        unfinished = bool(latin)
        if latin:
            asked.append(latin)
        elif len(east) == 1:
            asked.append(east)
        else:
            asked += map("".join, pairwise(east))
    asked = list(dict.fromkeys(asked))[:QUESTION_WORDS]
    if asked and unfinished and not text[-1:].isspace():
        asked[-1] += "*"
    return asked


def number_in(text: str) -> str:
    """The ticket number that is asked for, as `100123` or `#100123`; empty when something else is."""
    found = re.fullmatch(r"\s*#?\s*(\d{6,17})\s*", text, re.ASCII)
    return found[1] if found else ""


def matching(tickets: TicketQuerySet, text: str) -> TicketQuerySet:
    """Those of `tickets` (already narrowed to what the colleague may see) that the question finds.

    Right for words that few tickets hold: DISTINCT keeps PostgreSQL from walking all tickets in the hope of a match,
    which it does because it has no statistics of unfinished words.
    """
    if number := number_in(text):
        return tickets.numbered(number)
    asked = question(text)
    if not asked:
        return tickets.none()
    return tickets.filter(pk__in=TicketWords.objects.filter(words__has_all=asked).values("ticket_id").distinct())


def on_page(tickets: TicketQuerySet, text: str, most: int, *, field: str, descends: bool) -> TicketQuerySet:
    """`tickets` narrowed so that their first `most` by `field` and primary key are those that the question finds.

    The cost depends on neither the number of tickets nor that of the matches. Words of many tickets fill the page
    while the first tickets of the list are walked. Words of few come from the index, all at once. What lies between
    is walked for longer; and only what that does not find costs as much as there are matches.
    """
    asked = question(text)
    if not asked:
        return tickets.none()
    found = _among_first(tickets, asked, FIRST, most, field, descends)
    if len(found) < most:
        holders = TicketWords.objects.filter(words__has_all=asked).values_list("ticket_id", flat=True)
        few = list(holders[: FEW + 1])
        if len(few) <= FEW:
            return tickets.filter(pk__in=few)
        found = _among_first(tickets, asked, MORE, most, field, descends)
    return tickets.filter(pk__in=found) if len(found) >= most else matching(tickets, text)


def _among_first(
    tickets: TicketQuerySet, asked: list[str], depth: int, most: int, field: str, descends: bool
) -> list[int]:
    """Keys of the first `most` matches among the first `depth` tickets of the list."""
    try:
        first, first_values = tickets.values("id", field)[:depth].query.sql_with_params()
    except EmptyResultSet:
        return []
    hold, hold_values = TicketWords.objects.filter(words__has_all=asked).values("ticket_id").query.sql_with_params()
    way = "DESC" if descends else "ASC"
    order = f"{connection.ops.quote_name(field)} {way}, id {way}"
    # A join may lose the order of what it joins, so it is said again; PostgreSQL sees that it need not sort.
    statement = f"SELECT id FROM ({first}) AS first WHERE id IN ({hold}) ORDER BY {order} LIMIT %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [*first_values, *hold_values, most])
        return [row[0] for row in cursor.fetchall()]


def index_waiting(limit: int = 1000) -> int:
    """Read up to `limit` messages that the index does not know yet; how many were read. Safe to run anywhere, twice."""
    waiting = list(Message.objects.filter(indexed=False).order_by("id").values_list("ticket_id", "id")[:limit])
    for tickets, messages in _portions(sorted(waiting)):
        with transaction.atomic():
            _index(tickets, messages)
            Message.objects.filter(pk__in=messages).update(indexed=True)
    return len(waiting)


def _portions(waiting: Iterable[tuple[int, int]]) -> Iterator[tuple[list[int], list[int]]]:
    """Tickets and messages of one transaction each: what is new of a ticket together, as far as it is not too much."""
    tickets: list[int] = []
    messages: list[int] = []
    for ticket, message in waiting:
        new = tickets[-1:] != [ticket]
        if len(messages) == MESSAGES_AT_ONCE or (new and len(tickets) == AT_ONCE):
            yield tickets, messages
            tickets, messages, new = [], [], True
        if new:
            tickets.append(ticket)
        messages.append(message)
    if messages:
        yield tickets, messages


def read_again(tickets: Collection[int]) -> None:
    """Say that these tickets are found by other words now: subject, contact or messages changed hands."""
    Message.objects.filter(ticket_id__in=tickets).update(indexed=False)


def contacts_changed(contacts: Collection[int]) -> None:
    """Say that the tickets of these contacts are found by other names and addresses now."""
    Message.objects.filter(ticket__contact_id__in=contacts).update(indexed=False)


def _index(ids: list[int], new: list[int]) -> None:
    """Add the words of the messages `new`. Of a ticket with no message that is known, everything is read."""
    TicketWords.objects.bulk_create([TicketWords(ticket_id=pk) for pk in ids], ignore_conflicts=True)
    # The rows are locked before the texts are read: whoever comes second reads what the first one's messages added.
    rows = list(TicketWords.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    known = Exists(Message.objects.filter(ticket=OuterRef("pk"), indexed=True))
    grown = set(Ticket.objects.filter(known, pk__in=ids).values_list("pk", flat=True))
    heads = _heads(ids)
    texts = _said(Message.objects.filter(Q(pk__in=new) | Q(ticket__in=set(ids) - grown)), ids)
    changed = []
    for row in rows:
        found = _words([*heads[row.pk], *texts[row.pk]])
        if row.pk in grown:
            found |= dict.fromkeys(row.words)
            if len(found) == len(row.words):
                continue
            if len(found) > TICKET_WORDS:
                everything = _said(Message.objects.filter(ticket=row.pk), [row.pk])
                found = _words([*heads[row.pk], *everything[row.pk]])
        row.words = tuple(found)
        changed.append(row)
    TicketWords.objects.bulk_create(changed, update_conflicts=True, update_fields=["words"], unique_fields=["ticket"])


def _heads(ids: list[int]) -> dict[int, list[str]]:
    texts: dict[int, list[str]] = defaultdict(list)
    heads = Ticket.objects.filter(pk__in=ids).values_list("pk", "subject", "contact__name", "customer__name")
    for ticket, subject, contact, customer in heads:
        texts[ticket] += [str(ticket + NUMBER_OFFSET), subject, contact, customer or ""]
    reached = Ticket.objects.filter(pk__in=ids, contact__points__isnull=False)
    for ticket, point in reached.values_list("pk", "contact__points__value"):
        texts[ticket].append(point)
    return texts


def _said(messages: QuerySet[Message], tickets: Collection[int]) -> dict[int, list[str]]:
    """What stands in these messages of these tickets, newest first, of each ticket as much as is read."""
    texts: dict[int, list[str]] = defaultdict(list)
    room = dict.fromkeys(tickets, TICKET_TEXT)
    fields = ("ticket_id", "from_address", "from_name", "subject", "reply_text", "text")
    said = messages.filter(ticket__in=tickets).order_by("ticket_id", "-seq").values_list(*fields)
    for ticket, address, name, subject, reply, text in said.iterator(chunk_size=500):
        if room[ticket] > 0:
            body = (reply or text)[: room[ticket]]
            room[ticket] -= len(body)
            texts[ticket] += [address, name, subject, body]
    return texts


def _words(texts: Iterable[str]) -> dict[str, None]:
    """The first different words."""
    found: dict[str, None] = {}
    for word in (word for text in texts for word in words(text)):
        if len(found) >= TICKET_WORDS:
            break
        found[word] = None
    return found
