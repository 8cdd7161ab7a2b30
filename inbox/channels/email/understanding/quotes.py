"""The sender's own words: a reply without the quoted messages and without the signature."""

from __future__ import annotations


def strip(text: str, html: str = "") -> str:
    """`text` without quoted messages and without the signature."""
    return text
