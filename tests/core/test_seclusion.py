"""What a confined process cannot do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import BASE

pytestmark = pytest.mark.once

SCRIPT = """
import ctypes, json, os, socket, sys
sys.path.insert(0, {base!r})
from core.seclusion import confine
confine(seconds=2, memory=1_000_000_000, file_bytes=1_000_000, files=16)
libc = ctypes.CDLL(None, use_errno=True)
found = {{}}
for what, work in (
    ("socket", lambda: socket.socket()),
    ("pair", lambda: socket.socketpair()),
    ("memory", lambda: bytearray(2_000_000_000)),
    ("file", lambda: open({path!r}, "wb").write(b"x" * 2_000_000)),
    ("files", lambda: [open("/dev/null") for _ in range(30)]),
    ("ring", lambda: libc.syscall(425, 4, ctypes.create_string_buffer(120)) < 0 and os.strerror(ctypes.get_errno())),
    ("x32", lambda: libc.syscall(0x40000029, 2, 1, 0) < 0 and os.strerror(ctypes.get_errno())),
    ("child", lambda: os.waitstatus_to_exitcode(os.system(sys.executable + " -c 'import socket; socket.socket()' 2>&-"))),
):
    try:
        found[what] = str(work())
    except BaseException as why:
        found[what] = type(why).__name__
print(json.dumps(found), flush=True)
while True:
    pass
"""


def test_a_confined_process_has_no_network_and_little_of_everything_else(tmp_path: Path) -> None:
    """S-19, S-21: no socket, not by rings that open their own, nor by another convention's numbers, nor in a child."""
    script = SCRIPT.format(base=str(BASE), path=str(tmp_path / "big"))
    command = [sys.executable, "-I", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={"PATH": ""})
    assert json.loads(done.stdout.splitlines()[0]) == {
        "socket": "PermissionError",
        "pair": "PermissionError",
        "memory": "MemoryError",
        "file": "OSError",
        "files": "OSError",
        "ring": "Operation not permitted",
        "x32": "Operation not permitted",
        "child": "1",
    }
    assert done.returncode in (-24, -9), "two seconds of processor time, and no more"
    assert (tmp_path / "big").stat().st_size <= 1_000_000
