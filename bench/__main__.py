"""`python -m bench [NAME…]`: runs the named measurements, or all, each in a process and with databases of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from bench.scratch import database, surroundings

MEASUREMENTS = {
    "receive-postgresql": ("bench.receive", "postgresql"),
    "receive-sqlite": ("bench.receive", "sqlite"),
    "inbox-pages": ("bench.pages", "postgresql"),
    "mail-to-screen": ("bench.screen", "sqlite"),
    "serve-memory": ("bench.memory", "sqlite"),
    "chat-idle": ("bench.chat_idle", "sqlite"),
    "chat-latency": ("bench.chat_latency", "sqlite"),
    "chat-store-sqlite": ("bench.chat_store", "sqlite"),
    "chat-store-postgresql": ("bench.chat_store", "postgresql"),
    "widget-size": ("bench.widget", "sqlite"),
}
"""Name → module, and the database it works on."""


def main(names: list[str]) -> int:
    """Run them one after the other; the number of those that failed."""
    unknown = set(names) - set(MEASUREMENTS)
    if unknown:
        sys.exit(f"There is no measurement called {', '.join(sorted(unknown))}. There are: {', '.join(MEASUREMENTS)}.")
    failed = 0
    for name in names or MEASUREMENTS:
        module, vendor = MEASUREMENTS[name]
        with tempfile.TemporaryDirectory(prefix="guichet-bench-") as folder, database(vendor, folder) as url:
            env = {**os.environ, **surroundings(folder, url)}
            failed += bool(subprocess.run([sys.executable, "-m", module, name], env=env, check=False).returncode)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
