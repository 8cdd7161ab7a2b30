"""Which programs this machine has."""

from __future__ import annotations

import os
import shutil


def binary(*names: str) -> str:
    """Path of the first of these programs that is installed, also outside an ordinary user's PATH; "" for none."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin"
    return next((found for name in names if (found := shutil.which(name, path=path))), "")


def chromium() -> str:
    """The browser; "" when there is none. The shell without windows needs a third of the time."""
    return binary("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
