"""A composed query finds what its queryset finds, however often and with whatever values it is asked."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef
from django.db.transaction import TransactionManagementError

from core.composed import LENGTH, Composed
from crm.customers.models import Contact, ContactPoint
from crm.service.models import Ticket
from tests import factories

pytestmark = pytest.mark.django_db


def people(count: int) -> list[Contact]:
    return [factories.ContactFactory(name=f"Person {n}") for n in range(count)]


def test_values_are_put_into_their_places():
    first, second, _third = people(3)
    by_key_and_name = Composed(lambda key, name: Contact.objects.filter(pk=key, name=name))
    assert by_key_and_name(first.pk, first.name) == [first]
    assert by_key_and_name(second.pk, second.name) == [second]
    assert by_key_and_name(second.pk, first.name) == []


def test_it_is_read_anew_each_time():
    (person,) = people(1)
    found = Composed(lambda key: Contact.objects.filter(pk=key))
    assert found(person.pk)[0].name == "Person 0"
    Contact.objects.update(name="Somebody else")
    assert found(person.pk)[0].name == "Somebody else"


def test_its_text_is_composed_once(django_assert_num_queries):
    composed = []

    def build(key):
        composed.append(key)
        return Contact.objects.filter(pk=key)

    found = Composed(build)
    for person in people(3):
        with django_assert_num_queries(1):
            assert found(person.pk) == [person]
    assert len(composed) == 1


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 17, LENGTH, LENGTH + 1])
def test_sequences_of_any_length(count):
    made = people(count)
    others = people(2)
    found = Composed(lambda keys, kind: Contact.objects.filter(pk__in=keys, language=kind).order_by("pk"))
    assert found([person.pk for person in made], made[0].language if made else "") == made
    assert not set(others) & set(found([person.pk for person in made], ""))


def test_an_empty_sequence_does_not_take_the_other_half_of_a_condition_along():
    first, second = people(2)
    either = Composed(lambda keys, name: Contact.objects.filter(pk__in=keys) | Contact.objects.filter(name=name))
    assert either([], second.name) == [second]
    assert set(either([first.pk], second.name)) == {first, second}


def test_related_rows_annotations_and_prefetched_rows_come_along(django_assert_num_queries):
    ticket = factories.TicketFactory(contact=factories.ContactFactory(name="Lin Mei"))
    factories.PointFactory(contact=ticket.contact, kind="email", value="lin@customer.test")
    reached = ContactPoint.objects.filter(contact=OuterRef("contact"))
    found = Composed(
        lambda key: (
            Ticket.objects.filter(pk=key)
            .select_related("contact", "queue")
            .annotate(reached=Exists(reached), count=Count("contact__points"))
            .prefetch_related("contact__points")
        )
    )
    for _ in range(2):
        with django_assert_num_queries(2):
            (row,) = found(ticket.pk)
            assert (row.contact.name, row.queue, row.reached, row.count) == ("Lin Mei", ticket.queue, True, 1)
            assert [point.value for point in row.contact.points.all()] == ["lin@customer.test"]


def test_values_instead_of_rows():
    (person,) = people(1)
    assert Composed(lambda key: Contact.objects.filter(pk=key).values_list("pk", "name"))(person.pk) == [
        (person.pk, "Person 0")
    ]
    assert Composed(lambda key: Contact.objects.filter(pk=key).values_list("name", flat=True))(person.pk) == [
        "Person 0"
    ]


def test_a_value_that_the_query_changes_is_refused():
    shifted = Composed(lambda key: Contact.objects.filter(pk=key + 1))
    with pytest.raises(ValueError, match="as it is"):
        shifted(1)


@pytest.mark.django_db(transaction=True)
def test_threads_ask_with_their_own_connections():
    made = people(4)
    found = Composed(lambda key: Contact.objects.filter(pk=key))
    answers: dict[int, list[Contact]] = {}

    def ask(key: int) -> None:
        try:
            for _ in range(20):
                answers[key] = found(key)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(person.pk,)) for person in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {person.pk: [person] for person in made}


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_within_a_transaction_only():
    (person,) = people(1)
    locked = Composed(lambda key: Contact.objects.select_for_update(no_key=True).filter(pk=key))
    with transaction.atomic():
        assert locked(person.pk) == [person]
    if connection.features.has_select_for_update:
        with pytest.raises(TransactionManagementError):
            locked(person.pk)
