"""How much memory the one-process server holds after 2,000 mails came through its mail door."""

from __future__ import annotations

import os
import smtplib
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from bench import corpus
from bench.figure import Figure
from tests.processes import free_port, running

PATIENCE = 300
"""Seconds until every mail must have become part of a ticket."""


def resident(pid: int, field: str = "VmRSS") -> float:
    """Megabytes (10^6) that the process holds, or held at most with `VmHWM`."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    raise LookupError(field)


def main(name: str) -> None:
    """The reference is the same process before the first mail."""
    web, door = free_port(), free_port()
    env = {**os.environ, "GUICHET_DEMO": "1", "SMTP_DOOR": f"127.0.0.1:{door}", "BASE_URL": f"http://127.0.0.1:{web}"}
    subprocess.run([sys.executable, "-c", PREPARE], env=env, check=True)
    contents = corpus.mails()
    with running([sys.executable, "manage.py", "serve", "--port", str(web)], env, port=web) as server:
        time.sleep(5)
        before = resident(server.pid)
        with smtplib.SMTP("127.0.0.1", door, timeout=60) as smtp:
            for content in contents:
                smtp.sendmail("bench@customers.example.org", ["support@example.com"], content)
        _wait(env["DATABASE_URL"].removeprefix("sqlite:///"), len(contents))
        time.sleep(5)
        Figure(name, resident(server.pid), "MB", before, "<= 300").tell()
        Figure(f"{name}: most at any time", resident(server.pid, "VmHWM"), "MB", before, "<= 300").tell()


PREPARE = """
import django
django.setup()
from django.core.management import call_command
from bench import office
call_command("migrate", verbosity=0)
office.set_up()
"""


def _wait(path: str, count: int) -> None:
    end = time.monotonic() + PATIENCE
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20) as database:
        while True:
            (done,) = database.execute("SELECT count(*) FROM inbox_rawmessage WHERE state = 'done'").fetchone()
            if done >= count:
                return
            if time.monotonic() > end:
                sys.exit(f"{done} of {count} mails were processed within {PATIENCE} s")
            time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1])
