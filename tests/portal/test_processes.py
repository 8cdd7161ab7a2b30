"""`serve`, `worker`, `listen`: started, used and ended as people do; and the scheduler's turns (R-32, R-37)."""

from __future__ import annotations

import json
import re
import smtplib
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from core.models import Lease
from inbox.models import Delivery, RawMessage
from portal.processes import Job, Scheduler, do_tasks
from tests import factories
from tests.inbox.wires.loops import in_thread, until
from tests.processes import free_port, running


def test_one_process_does_everything(process_environment, tmp_path):
    channel = factories.ChannelFactory(address="support@example.com")
    channel.acknowledge = factories.TemplateFactory(purpose="automatic", texts={"en": ("We have it", "Thank you.")})
    channel.save()
    port, door = free_port(), free_port()
    env = {
        **process_environment, "GUICHET_VAR": str(tmp_path), "GUICHET_DEMO": "1", "SMTP_DOOR": f"127.0.0.1:{door}",
        "BASE_URL": f"http://127.0.0.1:{port}",
    }  # fmt: skip
    with running([sys.executable, "manage.py", "serve", "--port", str(port)], env, port=port) as child:
        until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).read() == b"ok\n")
        ready = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5))
        assert ready == {"database": True, "storage": True}

        def hand_over():
            try:
                with smtplib.SMTP("127.0.0.1", door, local_hostname="localhost", timeout=5) as smtp:
                    smtp.sendmail(
                        "anna@customer.test", ["support@example.com"],
                        b"From: anna@customer.test\r\nTo: support@example.com\r\nSubject: Leak\r\n\r\nIt leaks.\r\n",
                    )  # fmt: skip
                return True
            except ConnectionError:
                return False

        until(hand_over)
        until(lambda: Delivery.objects.filter(state=Delivery.State.SENT).exists())
        assert RawMessage.objects.get().outcome == "opened"
        assert len(list((tmp_path / "mail").glob("*.eml"))) == 1
        began = time.monotonic()
        child.terminate()
        assert child.wait(5) == 0
        assert time.monotonic() - began < 5
    log = next(tmp_path.glob("process-*.log")).read_text()
    assert f"Serving http://127.0.0.1:{port}" in log
    assert "Traceback" not in log


def test_serve_alone_has_its_assets(process_environment, tmp_path):
    port = free_port()
    env = {
        **process_environment, "GUICHET_VAR": str(tmp_path), "STATIC_ROOT": str(tmp_path / "static"), "SMTP_DOOR": "",
        "DEBUG": "", "GUICHET_DEMO": "", "BASE_URL": f"http://127.0.0.1:{port}",
    }  # fmt: skip
    with running([sys.executable, "manage.py", "serve", "--port", str(port)], env, port=port):
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/accounts/login/", timeout=10).read().decode()
        sheet = re.search(r'href="(/static/core/css/\w+\.[0-9a-f]{12}\.css)"', page)[1]
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}{sheet}", timeout=10).status == 200


def test_a_taken_port_is_told(process_environment, tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        done = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", str(other.getsockname()[1])],
            env={**process_environment, "SMTP_DOOR": ""}, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert "cannot be listened on" in done.stderr


@pytest.mark.parametrize("command", ["worker", "listen"])
def test_the_parts_run_apart(process_environment, tmp_path, command):
    channel = factories.ChannelFactory(settings={"imap_host": "127.0.0.1", "imap_port": free_port(), "imap_user": "x"})
    env = {**process_environment, "GUICHET_VAR": str(tmp_path), "SMTP_DOOR": ""}
    with running([sys.executable, "manage.py", command], env) as child:
        wanted = "scheduler" if command == "worker" else f"imap:{channel.pk}"
        until(lambda: Lease.objects.filter(name=wanted).exclude(holder="").exists())
        child.terminate()
        assert child.wait(6) == 0
    until(lambda: Lease.objects.get(name=wanted).holder == "")


@pytest.mark.django_db(transaction=True)
class TestScheduler:
    def test_a_job_that_falls_holds_up_no_other(self, caplog):
        done = []
        broken = Job("broken", 0, lambda: 1 / 0)
        scheduler = Scheduler([broken, Job("good", 0, lambda: done.append(1))], "me")
        scheduler.turn()
        scheduler.turn()
        assert done == [1, 1]
        assert "the job “broken” fell" in caplog.text

    def test_one_of_two_keeps_the_clock_and_missed_turns_are_done_once(self, settings):
        settings.LEASE_SECONDS = 2
        turns = {"first": 0, "second": 0}

        def count(name):
            turns[name] += 1

        def keeper(name):
            return Scheduler([Job("count", 3600, lambda: count(name))], name).run

        with in_thread(keeper("first")):
            until(lambda: turns["first"] == 1)
            with in_thread(keeper("second")):
                time.sleep(1)
                assert turns == {"first": 1, "second": 0}
        with in_thread(keeper("second")):
            until(lambda: turns["second"] == 1)
        assert turns == {"first": 1, "second": 1}


@pytest.mark.django_db(transaction=True)
def test_tasks_are_done():
    from django_tasks_db.models import DBTaskResult

    assert do_tasks() == 0
    assert not DBTaskResult.objects.exists()
