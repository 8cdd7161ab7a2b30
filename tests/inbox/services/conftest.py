"""Real servers for the tests of what the inbox can do."""

from __future__ import annotations

from tests.servers.fixtures import clamd  # noqa: F401
