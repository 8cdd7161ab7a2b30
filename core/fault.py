"""Named places where a test makes this process fail: killed, raising, slow or out of space.

`GUICHET_FAULT="point=action[:argument][@n]"` arms one point; the n-th pass (1 by default) acts. Unset, a point costs
one comparison.
"""

from __future__ import annotations

import errno
import os
import signal
import time

_ARMED = os.environ.get("GUICHET_FAULT", "")
_passes = 0


class FaultInjected(Exception):
    """Raised by an armed point with action `raise`."""


def point(name: str) -> None:
    """Act here when the environment armed `name`: `kill`, `stop`, `raise`, `sleep:SECONDS` or `enospc`."""
    if not _ARMED or not _ARMED.startswith(name + "="):
        return
    global _passes
    _passes += 1
    action, _, nth = _ARMED.partition("=")[2].partition("@")
    if _passes != int(nth or 1):
        return
    verb, _, argument = action.partition(":")
    if verb == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif verb == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif verb == "sleep":
        time.sleep(float(argument))
    elif verb == "enospc":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    elif verb == "raise":
        raise FaultInjected(name)
