"""From a mail in a real Dovecot mailbox to its text on an agent's screen in a real browser."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import imaplib2
from playwright.sync_api import sync_playwright

from bench.figure import Figure, percentile
from tests.machine import chromium
from tests.processes import free_port, running
from tests.servers.dovecot import Dovecot

RUNS = 12
MAIL = """From: Anna Schmidt <anna{n}@customer.example>
To: support@example.com
Subject: Live {word}
Message-ID: <live-{word}@customer.example>

The machine leaks. {word}
"""
PREPARE = """
import os
import django
django.setup()
from allauth.account.models import EmailAddress
from django.core.management import call_command
from bench import office
from crm.organisation import services
from crm.organisation.models import User
call_command("migrate", verbosity=0)
port = os.environ["BENCH_IMAP_PORT"]
channel = office.set_up(imap_host="127.0.0.1", imap_port=int(port), imap_security="none", imap_user="support",
                        imap_folder="INBOX", auth="password", import_existing=True, after_import="nothing")
channel.set_secrets({"imap_password": "secret"})
channel.save()
user = User.objects.create_user("boss@halden.example", "guichet-demo", name="Boss")
services.set_roles(user, ["supervisor"])
EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
"""


class Witness:
    """A plain IMAP client that idles on the mailbox: the soonest anybody can know of a new mail."""

    def __init__(self, port: int) -> None:
        self._client = imaplib2.IMAP4("127.0.0.1", port)
        self._client.login("support", "secret")
        self._client.select("INBOX", readonly=True)
        self._told = threading.Event()
        self.at = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self._client.idle(60)
            self.at = time.perf_counter()
            self._told.set()

    def forget(self) -> None:
        """Wait for the next mail."""
        self._told.clear()

    def seconds(self, since: float) -> float:
        """How long after `since` it knew."""
        self._told.wait(10)
        return self.at - since


def main(name: str) -> None:
    """The reference is how soon an idling IMAP client hears of the same mail."""
    with tempfile.TemporaryDirectory(prefix="guichet-dovecot-", ignore_cleanup_errors=True) as folder:
        dovecot = Dovecot(Path(folder) / "dovecot")
        try:
            _measure(name, dovecot)
        finally:
            dovecot.stop()


def _measure(name: str, dovecot: Dovecot) -> None:
    web = free_port()
    env = {
        **os.environ,
        "GUICHET_DEMO": "1",
        "SMTP_DOOR": "",
        "BASE_URL": f"http://127.0.0.1:{web}",
        "BENCH_IMAP_PORT": str(dovecot.port),
    }
    subprocess.run([sys.executable, "-c", PREPARE], env=env, check=True)
    with (
        running([sys.executable, "manage.py", "serve", "--port", str(web)], env, port=web),
        sync_playwright() as playwright,
    ):
        page = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"]).new_page()
        page.goto(f"http://127.0.0.1:{web}/accounts/login/?next=/desk/inbox/?view=all")
        page.fill("input[name=login]", "boss@halden.example")
        page.fill("input[name=password]", "guichet-demo")
        page.press("input[name=password]", "Enter")
        page.wait_for_url("**/desk/inbox/**")
        witness = Witness(dovecot.port)
        seen, heard = [], []
        for n in range(RUNS + 2):
            time.sleep(1.7)
            word = f"token{time.monotonic_ns()}"
            witness.forget()
            began = time.perf_counter()
            dovecot.drop("support", MAIL.format(n=n, word=word).replace("\n", "\r\n").encode())
            page.wait_for_selector(f"text={word}", timeout=20_000)
            took = time.perf_counter() - began
            if n >= 2:  # the first two warm the process up
                seen.append(took)
                heard.append(witness.seconds(began))
        Figure(name, percentile(seen, 50), "s", percentile(heard, 50), "<= 1").tell()
        Figure(f"{name}: slowest of {RUNS}", max(seen), "s", max(heard), "<= 1").tell()


if __name__ == "__main__":
    main(sys.argv[1])
