"""Files that Outlook packed into a `winmail.dat` (MS-OXTNEF)."""

from __future__ import annotations

import struct

from inbox.channels.base import InboundFile
from . import files
from .bodies import Body


def unpack(body: Body) -> None:
    """placeholder"""
