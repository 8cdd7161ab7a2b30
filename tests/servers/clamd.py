"""Debian's clamd with one signature of its own: that of EICAR's test file, so that no database has to be fetched."""

from __future__ import annotations

import hashlib
import subprocess
import time
from pathlib import Path

from tests.machine import binary

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""Put together here so that no scanner finds this file itself."""


class Clamd:
    """One daemon on a socket of its own."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "clamd.sock"
        database = folder / "database"
        database.mkdir()
        (database / "own.hdb").write_text(f"{hashlib.md5(EICAR).hexdigest()}:{len(EICAR)}:Eicar-Test\n")
        settings = folder / "clamd.conf"
        lines = [f"LocalSocket {self.socket}", f"DatabaseDirectory {database}", "Foreground yes", "StreamMaxLength 4M"]
        settings.write_text("\n".join([*lines, "MaxThreads 2", f"LogFile {folder / 'log'}", ""]))
        folder.chmod(0o700)
        self._settings, self._folder = settings, folder
        self.start()

    def start(self) -> None:
        command = [binary("clamd"), "--config-file", str(self._settings)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while not self.socket.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self.socket.unlink(missing_ok=True)
