"""Debian's HylaFAX with a spool of its own, and two of them whose modems talk to each other without a telephone.

A bare server takes jobs and never sends them: no modem. The exchange is two HylaFAX with an iaxmodem each in a network
namespace made here: iaxmodem binds every address, and nothing of it shall be reached from outside.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.machine import binary
from tests.processes import BASE
from tests.servers import network

USER, PASSWORD = "guichet", "open sesame"
MARK = "gx"
"""How network namespaces of ours begin."""
NUMBER_A, NUMBER_B = "+49404321560", "+49404321570"


def crypted(password: str) -> str:
    done = subprocess.run(["openssl", "passwd", "-6", "-salt", "guichet", password], capture_output=True, text=True)
    return done.stdout.strip()


class Spool:
    """A spool with faxq and hfaxd over it."""

    def __init__(self, folder: Path, name: str, *, within: str = "") -> None:
        self.path, self.name = folder / name, name
        self._within = ["ip", "netns", "exec", within] if within else []
        self._children: list[subprocess.Popen] = []
        folder.chmod(0o755)
        shutil.copytree("/var/spool/hylafax", self.path, symlinks=True, ignore=shutil.ignore_patterns("FIFO*"))
        shutil.copytree("/etc/hylafax", self.path / "etc", symlinks=False, dirs_exist_ok=True)
        cache = self.path / "etc" / "setup.cache"
        cache.chmod(0o644)
        lines = [line for line in cache.read_text().splitlines() if not line.startswith("SPOOL=")]
        cache.write_text("\n".join([*lines, f"SPOOL='{self.path}'"]) + "\n")
        hosts = self.path / "etc" / "hosts.hfaxd"
        hosts.write_text(f"^{USER}@:21:{crypted(PASSWORD)}:\n^open@:22::\n")
        # It keeps two kinds of notes on what it does; both go to the system's log, which is not there.
        subprocess.run(["chown", "-R", "uucp:uucp", str(self.path)], check=True)
        hosts.chmod(0o600)

    def run(self, *command: str) -> subprocess.Popen:
        child = subprocess.Popen(
            [*self._within, *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        self._children.append(child)
        return child

    def start(self, host: str, port: int) -> None:
        self.run(binary("faxq"), "-D", "-q", str(self.path))
        wait(lambda: (self.path / "FIFO").exists(), 60, "faxq")
        self.serve(host, port)

    def serve(self, host: str, port: int) -> None:
        """hfaxd alone: it may be killed and started again."""
        self.hfaxd = self.run(binary("hfaxd"), "-d", "-q", str(self.path), "-l", host, "-i", str(port))

    def kill_hfaxd(self) -> None:
        """It and those of its children that talk to somebody."""
        end(self.hfaxd)
        for pid in pids_under(self.path, command=b"hfaxd"):
            kill(pid)

    def stop(self) -> None:
        for child in reversed(self._children):
            end(child)
        for pid in pids_under(self.path):
            kill(pid)


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def end(child: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def pids_under(path: Path, *, command: bytes = b"") -> list[int]:
    """Daemons that left their parents but name our spool in their command lines, or stand in it; `command`: only such."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes()
            place = os.readlink(entry / "cwd")
        except OSError:
            continue
        if command in line and (str(path).encode() in line or place.startswith(str(path))):
            found.append(int(entry.name))
    return found


def wait(ready: Callable[[], object], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, f"{what} did not come up"
        time.sleep(0.05)


def answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


class Server:
    """One HylaFAX without a modem, on loopback: jobs wait for ever."""

    def __init__(self, folder: Path, port: int) -> None:
        self.host, self.port = "127.0.0.1", port
        self.spool = Spool(folder, "spool")
        self.spool.start(self.host, port)
        wait(lambda: answers(self.host, port), 60, "hfaxd")

    def jobs(self, where: str = "sendq") -> list[str]:
        return sorted(each.name for each in (self.spool.path / where).glob("q*"))

    def stop(self) -> None:
        self.spool.stop()


class Exchange:
    """Two HylaFAX, a modem each, one wire: A sends through its hfaxd at `host`:`port`, B receives and calls `hook`."""

    def __init__(self, folder: Path, hook: str, port: int) -> None:
        self.port = port
        mark = f"{MARK}{os.getpid()}"
        self._space, self._link = mark, f"{mark}h"
        third = 1 + os.getpid() % 250
        self.host, self._own = f"10.213.{third}.2", f"10.213.{third}.1"
        self._children: list[subprocess.Popen] = []
        self.spools: list[Spool] = []
        try:
            with network.changing():
                clear_away()
                self._wire()
            self._begin(folder, hook, mark)
        except BaseException:
            self.stop()
            raise

    def _ip(self, *words: str) -> None:
        subprocess.run([binary("ip"), *words], check=True, capture_output=True)

    def _wire(self) -> None:
        self._ip("netns", "add", self._space)
        self._ip("-n", self._space, "link", "set", "lo", "up")
        self._ip("link", "add", self._link, "type", "veth", "peer", "name", "inner", "netns", self._space)
        # An address that the kernel gives by itself comes seconds later.
        self._ip("link", "set", self._link, "addrgenmode", "none")
        self._ip("addr", "add", f"{self._own}/30", "dev", self._link)
        self._ip("link", "set", self._link, "up")
        self._ip("-n", self._space, "addr", "add", f"{self.host}/30", "dev", "inner")
        self._ip("-n", self._space, "link", "set", "inner", "up")

    def _begin(self, folder: Path, hook: str, mark: str) -> None:
        ports = (4570, 4571)
        for letter, number, own, other in (("a", NUMBER_A, *ports), ("b", NUMBER_B, *reversed(ports))):
            device = f"tty{mark}{letter}"
            spool = Spool(folder, letter, within=self._space)
            self.spools.append(spool)
            config = Path("/etc/iaxmodem") / device
            config.parent.mkdir(exist_ok=True)
            Path("/var/log/iaxmodem").mkdir(exist_ok=True)
            config.write_text(
                f"device /dev/{device}\nowner uucp:uucp\nmode 660\nport {own}\nrefresh 0\nserver 127.0.0.1:{other}\n"
                f"peername {letter}\nsecret none\ncidname {'LIN COFFEE' if letter == 'a' else 'B'}\n"
                f"cidnumber {number}\ncodec ulaw\nnojitterbuffer\n"
            )
            template = (spool.path / "config" / "iaxmodem").read_text()
            modem = spool.path / "etc" / f"config.{device}"
            modem.write_text(
                f"CountryCode: 49\nAreaCode: 40\nFAXNumber: {number}\nLongDistancePrefix: 0\nInternationalPrefix: 00\n"
                f"DialStringRules: etc/dialrules\nLocalIdentifier: {number if letter == 'a' else 'GUICHET'}\n"
                f"RingsBeforeAnswer: {1 if letter == 'b' else 0}\nSpeakerVolume: off\nMaxRecvPages: 25\n"
                f"RecvFileMode: 0644\nServerTracing: 0x0f\nSessionTracing: 0x0f\n{template}"
            )
            (spool.path / "etc" / "FaxDispatch").write_text(
                Path(BASE / "deploy" / "hylafax" / "FaxDispatch")
                .read_text()
                .replace("/usr/local/bin/guichet-faxrcvd", hook)
            )
            subprocess.run(["chown", "-R", "uucp:uucp", str(spool.path / "etc")], check=True)
            self._children.append(spool.run(binary("iaxmodem"), "-F", device))
            wait(lambda device=device: Path(f"/dev/{device}").exists(), 60, "iaxmodem")
        first, second = self.spools
        first.start("0.0.0.0", self.port)
        second.run(binary("faxq"), "-D", "-q", str(second.path))
        wait(lambda: (second.path / "FIFO").exists(), 60, "faxq")
        for spool, letter in zip(self.spools, "ab", strict=True):
            spool.run(binary("faxgetty"), "-q", str(spool.path), f"tty{mark}{letter}")
        wait(lambda: answers(self.host, self.port), 60, "hfaxd")
        for spool, letter in zip(self.spools, "ab", strict=True):
            status = spool.path / "status" / f"tty{mark}{letter}"
            wait(lambda status=status: status.exists() and "idle" in status.read_text(), 60, "the modem")

    def log(self) -> str:
        """What the machines wrote down, for the message of a failure."""
        texts = [each.read_text(errors="replace")[-3000:] for s in self.spools for each in (s.path / "log").glob("c*")]
        return "\n--\n".join(texts)

    def stop(self) -> None:
        for spool in self.spools:
            spool.stop()
        with network.changing():
            remove(self._space)


def remove(space: str) -> None:
    """A network namespace, its wire, and its modems: their own children leave them, and outlive them."""
    for pid in pids_under(Path(f"tty{space}"), command=b"iaxmodem"):
        kill(pid)
    for letter in "ab":
        for folder in ("/etc/iaxmodem", "/dev"):
            Path(folder, f"tty{space}{letter}").unlink(missing_ok=True)
    for words in (("link", "del", f"{space}h"), ("netns", "del", space)):
        subprocess.run([binary("ip"), *words], check=False, capture_output=True)


def clear_away() -> None:
    """What runs that were killed have left: a namespace has its owner's process id in its name."""
    for space in Path("/run/netns").glob(f"{MARK}*"):
        owner = space.name.removeprefix(MARK)
        if owner.isdigit() and not Path("/proc", owner).exists():
            remove(space.name)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder that HylaFAX' own user may enter; pytest's are for us alone."""
    made = Path(tempfile.mkdtemp(prefix="guichet-hylafax-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def missing() -> str:
    """Why the tests of it cannot run; "" when they can."""
    wanted = ("faxq", "hfaxd", "faxgetty", "iaxmodem", "tesseract", "openssl")
    lacking = [name for name in wanted if not binary(name)]
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    return "" if os.geteuid() == 0 else "a network namespace needs root"
