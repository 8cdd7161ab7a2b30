"""A process is killed at every point of a fax's way in and out: nothing is lost, and nobody is called twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.service.models import Ticket
from inbox.models import Delivery, FaxDocument, FaxPage, RawMessage
from inbox.services import fax_receiving, replies
from tests import factories
from tests.faults.nursery import Nursery
from tests.inbox.fax import sheets
from tests.inbox.fax.conftest import CALLER, NUMBER, settings_of
from tests.inbox.wires.loops import until
from tests.processes import free_port
from tests.servers import hylafax

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def hylafax_server() -> Iterator[hylafax.Server]:
    with hylafax.folder() as folder:
        server = hylafax.Server(folder, free_port())
        yield server
        server.stop()


def line(queue, **changes):
    return factories.ChannelFactory(
        name="Fax", kind="fax", address=NUMBER, queue=queue, settings=settings_of(in_ocr="off", **changes)
    )


@pytest.mark.hylafax
@pytest.mark.parametrize(
    "point",
    [
        "sending.claimed",
        "sending.composed",
        "sending.marked",
        "fax.submitted",
        "sending.before_record",
        "sending.recorded",
    ],
)
def test_killed_while_submitting(nursery: Nursery, hylafax_server, queue, agent, point):
    """R-11: killed between JSUBM and the commit, the job is found again by its mark. One job, whatever is killed."""
    channel = line(queue, out_by="hfaxd", out_host="127.0.0.1", out_port=hylafax_server.port, out_user="open")
    contact = factories.ContactFactory(name="Lin Mei")
    factories.PointFactory(contact=contact, kind="fax", value=CALLER)
    ticket = factories.TicketFactory(queue=queue, contact=contact)
    before = set(hylafax_server.jobs())
    replies.reply(ticket, author=agent, text="On its way.", channel=channel, to=CALLER)
    victim = nursery.start("work", fault=f"{point}=kill")
    assert nursery.death(victim) == -9
    expected = 1 if point in ("fax.submitted", "sending.before_record", "sending.recorded") else 0
    # A job that was prepared and not submitted is forgotten by hfaxd when its client is gone.
    until(lambda: len(set(hylafax_server.jobs()) - before) == expected)
    successor = nursery.start("work")
    until(lambda: Delivery.objects.get().content.get("kept", {}).get("job"))
    nursery.end(successor)
    delivery = Delivery.objects.get()
    (job,) = set(hylafax_server.jobs()) - before
    assert delivery.state == "deferred"
    assert job == f"q{delivery.content['kept']['job']}"


@pytest.mark.parametrize(
    "point",
    [
        "fax.before_accept",
        "accept.stored",
        "accept.inserted",
        "accept.committed",
        "fax.accepted",
        "fax.folder_committed",
    ],
)
def test_killed_while_taking_a_file(nursery: Nursery, queue, tmp_path: Path, point):
    folder = tmp_path / "in"
    folder.mkdir()
    line(queue, in_folder=str(folder))
    (folder / f"from={CALLER}.tif").write_bytes(sheets.one())
    victim = nursery.start("listen", fault=f"{point}=kill")
    assert nursery.death(victim) == -9
    assert [each.name for each in folder.iterdir()] == [f"from={CALLER}.tif"], "kept until it is committed"
    successor = nursery.start("listen", "work")
    until(lambda: list(folder.glob("done/*.tif")) and Ticket.objects.exists())
    nursery.end(successor)
    assert (RawMessage.objects.count(), Ticket.objects.count(), FaxDocument.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize("point", ["fax.claimed", "fax.drawn", "fax.written", "fax.told"])
def test_killed_while_drawing(nursery: Nursery, queue, point):
    from inbox.channels.fax.envelope import Envelope

    line(queue)
    fax_receiving.receive(sheets.three(), Envelope(sender=CALLER))
    victim = nursery.start("work", fault=f"{point}=kill")
    assert nursery.death(victim) == -9
    successor = nursery.start("work")
    until(lambda: FaxDocument.objects.get().told and Ticket.objects.exists())
    nursery.end(successor)
    assert (FaxDocument.objects.get().state, FaxPage.objects.count(), Ticket.objects.count()) == ("ready", 3, 1)
