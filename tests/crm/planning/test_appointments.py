"""Appointments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.organisation.models import Notification
from crm.planning import services
from crm.planning.models import Appointment
from crm.planning.services import NewAppointment
from tests import factories

TEN = datetime(2036, 3, 10, 10, 0, tzinfo=UTC)


def history(row: Appointment) -> list[tuple[str, str, str, str]]:
    return list(row.events.values_list("actor_name", "what", "old", "new"))


def test_an_appointment_goes_its_way(agent: Any, supervisor: Any, contact: Any, queue: Any) -> None:
    row = services.arrange(
        NewAppointment("Call about the order", TEN, queue=queue, contact=contact, source="portal"), by=None
    )
    assert (row.ends_at, row.customer, row.remind_at) == (
        TEN + timedelta(minutes=30),
        contact.customer,
        TEN - timedelta(minutes=10),
    )
    services.set_hands(row, by=supervisor, people=[agent], queue=queue)
    services.move(row, TEN + timedelta(days=1), by=agent)
    services.edit_appointment(row, {"place": "By phone"}, by=agent)
    services.keep(row, by=agent, outcome="Ordered two")
    services.keep(row, by=supervisor)
    row.refresh_from_db()
    assert (row.state, row.outcome, row.starts_at, row.ends_at, row.remind_at) == (
        "done",
        "Ordered two",
        TEN + timedelta(days=1),
        TEN + timedelta(days=1, minutes=30),
        None,
    )
    assert history(row) == [
        ("", "made", "", "Call about the order"),
        ("Supervisor", "people", "", "Agent"),
        ("Agent", "starts_at", "2036-03-10T10:00+00:00", "2036-03-11T10:00+00:00"),
        ("Agent", "ends_at", "2036-03-10T10:30+00:00", "2036-03-11T10:30+00:00"),
        ("Agent", "place", "", "By phone"),
        ("Agent", "state", "agreed", "done"),
    ]
    assert list(contact.timeline.order_by("id").values_list("kind", flat=True)) == [
        "appointment.agreed",
        "appointment.moved",
        "appointment.done",
    ]
    assert Notification.objects.get(user=agent).text == "Appointment on 10 Mar 2036, 10:00: Call about the order"


def test_nothing_changes_on_refusal(agent: Any, customer_user: Any, queue: Any) -> None:
    for wanted in (
        NewAppointment(" ", TEN, queue=queue),
        NewAppointment("Nobody's", TEN),
        NewAppointment("A customer's", TEN, people=[customer_user]),
        NewAppointment("Backwards", TEN, TEN - timedelta(minutes=1), queue=queue),
    ):
        with pytest.raises(services.NotPossible):
            services.arrange(wanted, by=agent)
    assert Appointment.objects.count() == 0
    row = factories.AppointmentFactory(queue=queue)
    services.cancel(row, by=agent, why="ill")
    for deed in (
        lambda: services.move(row, TEN, by=agent),
        lambda: services.keep(row, by=agent),
        lambda: services.miss(row, by=agent),
        lambda: services.edit_appointment(row, {"topic": "x"}, by=agent),
    ):
        with pytest.raises(services.Finished):
            deed()
    assert history(row) == [("Agent", "state", "agreed", "cancelled")]
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.AppointmentFactory(ends_at=timezone.now())


def test_who_sees_an_appointment(agent: Any, supervisor: Any, marketer: Any, customer_user: Any, queue: Any) -> None:
    other = factories.UserFactory()
    factories.ContactFactory(user=other)
    his = factories.AppointmentFactory(contact=customer_user.contact)
    line = factories.AppointmentFactory(queue=queue)
    mine = factories.AppointmentFactory(people=[agent])
    both = factories.AppointmentFactory(queue=queue, people=[agent, supervisor])
    assert set(Appointment.objects.visible_to(agent)) == {line, mine, both}
    assert Appointment.objects.visible_to(agent).count() == 3
    assert set(Appointment.objects.visible_to(supervisor)) == {his, line, mine, both}
    assert list(Appointment.objects.visible_to(customer_user)) == [his]
    for nobody in (other, marketer, None):
        assert list(Appointment.objects.visible_to(nobody)) == []
