"""Real mail servers for the tests of the wires."""

from __future__ import annotations

from tests.servers.fixtures import box, dovecot, sink  # noqa: F401
