"""With Debian's HylaFAX: jobs, their marks and their ends; and one fax that is really dialled and comes back in."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from crm.service.models import Ticket
from inbox.channels import registry
from inbox.channels.base import Outbound, Outcome
from inbox.channels.fax import hfaxd, sending
from inbox.channels.fax.adapter import FaxAdapter
from inbox.models import Delivery, FaxDocument, Message, RawMessage
from inbox.services import deliveries, fax_pages, outcomes, processing, replies
from inbox.services import sending as loop
from tests import factories
from tests.conftest import child_environment
from tests.inbox.fax import sheets
from tests.inbox.fax.conftest import settings_of
from tests.processes import BASE, free_port
from tests.servers import hylafax
from tests.servers.hylafax import NUMBER_A, NUMBER_B, PASSWORD, USER

pytestmark = [pytest.mark.hylafax, pytest.mark.django_db(transaction=True)]
S = Delivery.State
WAITING = ("Waiting for a free line.", "Another fax to this number goes first.")


@pytest.fixture(scope="module")
def hylafax_server() -> Iterator[hylafax.Server]:
    with hylafax.folder() as folder:
        server = hylafax.Server(folder, free_port())
        yield server
        server.stop()


def line(queue, host: str, port: int, **changes):
    channel = factories.ChannelFactory(
        name="Fax",
        kind="fax",
        address=NUMBER_A,
        queue=queue,
        settings=settings_of(in_ocr="off", out_by="hfaxd", out_host=host, out_port=port, out_user=USER, **changes),
    )
    channel.set_secrets({"out_password": PASSWORD})
    channel.save()
    return channel


def written(channel, agent, text: str = "Your order is on its way.") -> Delivery:
    contact = factories.ContactFactory(name="Lin Mei")
    factories.PointFactory(contact=contact, kind="fax", value=NUMBER_B)
    ticket = factories.TicketFactory(queue=channel.queue, contact=contact, subject="Order 4711")
    replies.reply(ticket, author=agent, text=text, channel=channel, to=NUMBER_B)
    return Delivery.objects.get()


def attempt(delivery: Delivery) -> Delivery:
    """What the sending loop does with one delivery, once."""
    Delivery.objects.update(next_at=timezone.now())
    (row,) = loop.claim(1)

    async def send():
        async def go() -> bool:
            return await asyncio.to_thread(_closing, loop.mark_sending, row)

        return await registry.adapter("fax").send(channel, replace(out, go=go))

    prepared = loop.prepare(row)
    assert isinstance(prepared, tuple), prepared
    channel, out = prepared
    outcomes.record(row, asyncio.run(send()))
    delivery.refresh_from_db()
    return delivery


def _closing(work: Callable, *values):
    try:
        return work(*values)
    finally:
        connection.close()


def at(channel) -> hfaxd.Server:
    return sending.server(channel.settings, channel.secrets())


def test_a_job_is_submitted_once_followed_and_its_end_is_told(hylafax_server, queue, agent):
    channel = line(queue, hylafax_server.host, hylafax_server.port)
    delivery = attempt(written(channel, agent))
    job = delivery.content["kept"]["job"]
    assert (delivery.state, delivery.attempts, delivery.response) == (
        S.DEFERRED,
        0,
        f"Given to the fax server as job {job}.",
    )
    assert timezone.now() < delivery.next_at
    again = attempt(delivery)
    assert (again.state, again.content["kept"]["job"]) == (S.DEFERRED, job)
    assert again.response in WAITING
    with hfaxd.connected(at(channel)) as session:
        assert session.find(f"guichet-{delivery.content['kept']['mark']}-0") == job
        assert session.queue_length() == 1
        session._ftp.sendcmd(f"JKILL {job}")
    failed = attempt(delivery)
    assert (failed.state, failed.response) == (S.FAILED, "Not delivered after 0 calls: Job aborted by request")
    assert Ticket.objects.get().status == "open", "an answer that did not arrive brings its ticket back"

    assert deliveries.retry(failed, by=agent)
    fresh = attempt(failed)
    assert fresh.content["kept"]["job"] != job, "whoever sends it again gets a new job"
    hylafax_server.spool.path.joinpath("sendq", f"q{fresh.content['kept']['job']}").exists()


def test_a_job_that_waits_at_the_server_is_called_off(hylafax_server, queue, agent, login):
    channel = line(queue, hylafax_server.host, hylafax_server.port)
    delivery = attempt(written(channel, agent))
    job, desk = delivery.content["kept"]["job"], login(agent)
    number = delivery.message.ticket.number
    assert f"/call-off/{delivery.pk}/" in desk.get(f"/desk/inbox/{number}/").content.decode()
    assert desk.post(f"/desk/inbox/{number}/call-off/{delivery.pk}/", HTTP_HX_REQUEST="true").status_code == 200
    delivery.refresh_from_db()
    assert (delivery.state, delivery.content["call_off"]) == (S.DEFERRED, True)
    page = desk.get(f"/desk/inbox/{number}/").content.decode()
    assert "Being called off" in page
    assert "/call-off/" not in page
    for _ in range(5):
        if attempt(delivery).state != S.DEFERRED:
            break
    assert (delivery.state, delivery.response) == (
        S.CANCELLED,
        "Called off at the fax server. Calls until then: 0, pages: 0.",
    )
    assert "call_off" not in delivery.content
    shown = desk.get(f"/desk/inbox/{number}/").content.decode()
    assert ">Called off at the fax server. Calls until then: 0, pages: 0.<" in shown, "not only as a tooltip"
    assert not Ticket.objects.get().events.filter(what="undelivered").exists(), "nobody has to look at it again"
    with hfaxd.connected(at(channel)) as session:
        assert session.job(job).state == "FAILED"
    refused = desk.post(f"/desk/inbox/{number}/call-off/{delivery.pk}/", HTTP_HX_REQUEST="true")
    assert (refused.status_code, "too late" in refused.content.decode()) == (422, True)

    assert deliveries.retry(delivery, by=agent)
    assert attempt(delivery).content["kept"]["job"] != job


def test_it_is_said_when_a_call_off_came_too_late_or_is_refused():
    class Said:
        def __init__(self, *states: str, refused: str = "") -> None:
            self.states, self.refused = list(states), refused

        def job(self, number: str) -> hfaxd.Job | None:
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return hfaxd.Job(number, state, "", 1, 2) if state else None

        def kill(self, number: str) -> str:
            return self.refused

    def asked(*states: str, refused: str = "") -> tuple[Outcome, str]:
        receipt = sending._taken_back(Said(*states, refused=refused), "7", {"mark": "m", "job": "7"})
        return receipt.outcome, receipt.response

    late = "It was too late to call it off. Delivered with call 1. Pages: 2."
    assert asked("DONE") == (Outcome.SENT, late)
    assert asked("ACTIVE", "DONE") == (Outcome.SENT, late)
    assert asked("ACTIVE", "ACTIVE") == (Outcome.LATER, "It is being called off.")
    said = asked("ACTIVE", refused="550 Not your job")
    assert said == (Outcome.LATER, "The fax server does not give it up: 550 Not your job")
    assert asked("")[0] is Outcome.UNCERTAIN
    assert asked("ACTIVE", "FAILED")[0] is Outcome.CALLED_OFF


def test_what_is_dialled_stands_in_the_job(hylafax_server, queue, agent):
    channel = line(queue, hylafax_server.host, hylafax_server.port, out_dial="national", out_prefix="0,", out_dials="4")
    delivery = attempt(written(channel, agent))
    job = (hylafax_server.spool.path / "sendq" / f"q{delivery.content['kept']['job']}").read_text()
    told = dict(each.split(":", 1) for each in job.splitlines() if ":" in each)
    assert told["number"] == "0,0404321570"
    assert (told["maxdials"], told["resolution"], told["jobtag"]) == (
        "4",
        "196",
        f"guichet-{delivery.content['kept']['mark']}-0",
    )


def test_an_attempt_whose_answer_was_lost_finds_its_job_by_the_mark(hylafax_server, queue, agent):
    """R-11 for fax: killed between JSUBM and our commit, the second attempt takes the job up and dials nobody twice."""
    channel = line(queue, hylafax_server.host, hylafax_server.port)
    delivery = attempt(written(channel, agent))
    job = delivery.content["kept"].pop("job")
    Delivery.objects.update(content={"unclear": timezone.now().timestamp()}, state=S.DEFERRED)
    before = hylafax_server.jobs()
    found = attempt(delivery)
    assert found.content["kept"]["job"] == job
    assert hylafax_server.jobs() == before


def test_an_old_doubt_is_told_and_not_dialled_again(hylafax_server, queue, agent):
    channel = line(queue, hylafax_server.host, hylafax_server.port)
    delivery = written(channel, agent)
    long_ago = timezone.now().timestamp() - sending.FORGOTTEN - 1
    Delivery.objects.update(content={"unclear": long_ago}, state=S.DEFERRED)
    before = hylafax_server.jobs()
    assert attempt(delivery).state == S.UNCERTAIN
    assert hylafax_server.jobs() == before
    assert delivery.response == "The fax server does not know this job any more. Nobody knows whether the fax arrived."


def test_a_job_that_the_server_has_forgotten_is_unclear(hylafax_server, queue, agent):
    channel = line(queue, hylafax_server.host, hylafax_server.port)
    delivery = written(channel, agent)
    Delivery.objects.update(content={"kept": {"mark": "m", "job": "999999"}}, state=S.DEFERRED)
    assert attempt(delivery).state == S.UNCERTAIN
    assert "does not know this job" in delivery.response


def test_the_answer_to_the_submission_is_lost(hylafax_server, queue, agent, monkeypatch):
    """The line breaks when JSUBM was said: unclear, and then found."""
    channel = line(queue, hylafax_server.host, hylafax_server.port)
    delivery, before = written(channel, agent), hylafax_server.jobs()
    real = hfaxd.ftplib.FTP.sendcmd

    def cut(self, command):
        answer = real(self, command)
        if command == "JSUBM":
            raise ConnectionResetError("gone")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(hfaxd.ftplib.FTP, "sendcmd", cut)
        attempt(delivery)
    assert (delivery.state, "job" in delivery.content.get("kept", {})) == (S.DEFERRED, False)
    assert delivery.content["unclear"]
    found = attempt(delivery)
    assert found.content["kept"]["job"]
    assert "unclear" not in found.content
    assert len(hylafax_server.jobs()) == len(before) + 1


def test_hfaxd_is_killed_in_the_middle_and_comes_back(hylafax_server, queue, agent):
    channel = line(queue, hylafax_server.host, hylafax_server.port)
    delivery = attempt(written(channel, agent))
    job = delivery.content["kept"]["job"]
    hylafax_server.spool.kill_hfaxd()
    down = attempt(delivery)
    assert (down.state, down.content["kept"]["job"]) == (S.DEFERRED, job)
    assert "refuses connections" in down.response
    channel.refresh_from_db()
    assert channel.sending_health == "trouble"
    hylafax_server.spool.serve(hylafax_server.host, hylafax_server.port)
    hylafax.wait(lambda: hylafax.answers(hylafax_server.host, hylafax_server.port), 10, "hfaxd")
    type(channel).objects.update(sending_paused_until=None)
    up = attempt(delivery)
    assert (up.state, up.content["kept"]["job"]) == (S.DEFERRED, job)
    assert up.response in WAITING


@pytest.mark.parametrize(
    ("user", "password", "words"),
    [(USER, "wrong", "refused the login of “guichet”"), ("stranger", PASSWORD, "refused the login of “stranger”")],
)
def test_a_refused_login_pauses_the_channel_and_harms_no_fax(hylafax_server, queue, agent, user, password, words):
    channel = line(queue, hylafax_server.host, hylafax_server.port)
    channel.settings["out_user"] = user
    channel.set_secrets({"out_password": password})
    channel.save()
    delivery = attempt(written(channel, agent))
    assert (delivery.state, delivery.attempts) == (S.QUEUED, 0)
    channel.refresh_from_db()
    assert channel.sending_health == "paused"
    assert words in channel.sending_note
    probe = FaxAdapter().probe(channel)
    assert probe.sending.good is False
    assert words in probe.sending.text


def test_the_test_of_the_connection_really_logs_in(hylafax_server, queue, tmp_path):
    channel = line(queue, hylafax_server.host, hylafax_server.port, in_folder=str(tmp_path))
    probe = FaxAdapter().probe(channel)
    assert (probe.receiving.good, probe.sending.good) == (True, True)
    assert "Logged in to 127.0.0.1 as “guichet”" in probe.sending.text
    channel.settings |= {"out_port": free_port(), "in_folder": str(tmp_path / "gone")}
    probe = FaxAdapter().probe(channel)
    assert (probe.receiving.good, probe.sending.good) == (False, False)
    assert "refuses connections" in probe.sending.text
    assert "is not there" in probe.receiving.text


def test_a_server_that_is_no_hylafax_is_told(queue, sink):
    channel = line(queue, "127.0.0.1", sink.port)
    out = Outbound(1, NUMBER_B, "", sheets.one(), kept={"mark": "m"})
    receipt = sending._send(channel.settings, at(channel), out, lambda: pytest.fail("nothing may leave"))
    assert receipt.outcome is Outcome.ACCOUNT_FAULT
    assert "is not HylaFAX" in receipt.response


# A real call


@pytest.fixture
def spool() -> Iterator[Path]:
    """Where the hook keeps faxes until Guichet has them; HylaFAX' user may write there."""
    with hylafax.folder() as folder:
        receive = f"{sys.executable} {BASE / 'manage.py'} receive_fax"
        (folder / "fax.conf").write_text(f"SPOOL={folder}/jobs\nRECEIVE='{receive}'\nFLUSH=no\n")
        (folder / "jobs").mkdir()
        (folder / "jobs").chmod(0o777)
        shutil.copy(BASE / "deploy" / "hylafax" / "guichet-faxrcvd", folder)
        yield folder


def flush(folder: Path, *, database: str = "") -> int:
    env = child_environment() | {"GUICHET_FAX_CONF": str(folder / "fax.conf")}
    if database:
        env["DATABASE_URL"] = database
    script = BASE / "deploy" / "hylafax" / "guichet-faxflush"
    return subprocess.run([str(script)], env=env, capture_output=True, check=False).returncode


def test_an_answer_is_really_dialled_and_comes_back_in(spool, queue, agent, other_queue):
    """A reply of an agent goes through hfaxd, modem, wire, modem, faxrcvd and our hook, and is a new fax ticket."""
    hook = f"GUICHET_FAX_CONF={spool}/fax.conf {spool}/guichet-faxrcvd"
    exchange = hylafax.Exchange(spool, hook, free_port())
    try:
        channel = line(queue, exchange.host, exchange.port)
        second = factories.ChannelFactory(
            name="Second", kind="fax", address=NUMBER_B, queue=other_queue, settings=settings_of(in_ocr="eng")
        )
        delivery = written(channel, agent, "Your order 4711 is on its way.")
        seen: list[str] = []
        end = time.monotonic() + 150
        while delivery.state not in (S.SENT, S.FAILED):
            assert time.monotonic() < end, exchange.log()
            attempt(delivery)
            seen.append(delivery.response)
            time.sleep(1)
        assert delivery.state == S.SENT, f"{seen}\n{exchange.log()}"
        assert delivery.response == "Delivered with call 1. Pages: 1."
        assert any(words.startswith(("Being dialled", "Call 1")) for words in seen), seen
        hylafax.wait(lambda: list((spool / "jobs").glob("job.*")), 30, "the hook")
        assert flush(spool) == 0
    finally:
        exchange.stop()
    raw = RawMessage.objects.get()
    assert raw.facts["fax"] == {"from": NUMBER_A, "to": "00" + NUMBER_B[1:], "commid": "000000001"}
    while fax_pages.draw_waiting():
        pass
    processing.process(raw)
    message = Message.objects.get(channel=second)
    assert (message.from_address, message.ticket.queue) == (NUMBER_A, other_queue)
    assert message.facts["pages"] == 1
    assert "Your order 4711 is on its way." in message.text
    document = FaxDocument.objects.get(raw=raw)
    assert (document.state, document.count, document.damaged, document.pages.count()) == ("ready", 1, False, 1)
    assert list((spool / "jobs").glob("job.*")) == []


def test_the_hook_keeps_a_fax_while_the_database_is_down(spool, queue, tmp_path):
    channel = line(queue, "127.0.0.1", 1)
    file = tmp_path / "fax000000007.tif"
    file.write_bytes(sheets.one())
    env = os.environ | {"GUICHET_FAX_CONF": str(spool / "fax.conf"), "SENDER": "LIN COFFEE"}
    script = BASE / "deploy" / "hylafax" / "guichet-faxrcvd"
    arguments = [str(file), "ttyS0", "000000007", "", "+862155551234", "Lin", "<NONE>", NUMBER_A]
    for _ in range(2):
        subprocess.run([str(script), *arguments], env=env, check=True, capture_output=True)
    file.unlink()  # HylaFAX may clear its own spool
    assert len(list((spool / "jobs").glob("job.*"))) == 2
    assert flush(spool, database=f"sqlite:///{tmp_path}/gone/none.sqlite3") == 75
    assert len(list((spool / "jobs").glob("job.*"))) == 2
    assert RawMessage.objects.count() == 0
    assert flush(spool) == 0
    assert list((spool / "jobs").glob("job.*")) == []
    message = Message.objects.get()
    assert (message.channel, message.from_address, message.from_name) == (channel, "+862155551234", "LIN COFFEE")
    assert message.attachments.get().name == "fax000000007.tif"
