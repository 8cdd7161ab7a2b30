"""A process that opens what strangers sent: little of everything, and no socket, for it and its children."""

from __future__ import annotations

import ctypes
import errno
import platform
import resource
import struct
import sys

_CALLS = {"x86_64": (0xC000003E, (41, 42, 53, 425)), "aarch64": (0xC00000B7, (198, 203, 199, 425))}
"""Audit architecture, and the numbers of socket, connect, socketpair and io_uring_setup, which opens sockets too."""
_OTHER_NUMBERS = 0x40000000
"""From here on x86 has the calls of x32 again, in the name of the same architecture."""
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def confine(*, seconds: int, memory: int, file_bytes: int, files: int) -> None:
    """Bound processor time, address space, bytes of a written file and open files, and refuse sockets; for good."""
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    no_network()


def no_network() -> bool:
    """Refuse sockets by a seccomp filter; False where that cannot be had (another system or processor)."""
    known = _CALLS.get(platform.machine())
    if not sys.platform.startswith("linux") or known is None:
        return False
    architecture, calls = known
    lines = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),  # another calling convention would have other numbers
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, len(calls) + 1, 0, _OTHER_NUMBERS),
        *((_EQUAL, len(calls) - number, 0, call) for number, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    code = b"".join(struct.pack("=HBBI", *line) for line in lines)
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(lines), code)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    return libc.prctl(_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0
