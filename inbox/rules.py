"""What the inbox adds to rules: facts of a message, and actions that write one."""

from __future__ import annotations


def register() -> None:
    """Called once at start."""
