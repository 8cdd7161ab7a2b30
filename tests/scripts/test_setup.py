"""The shell scripts behind the Makefile, as far as they can be tried without installing anything."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

BASE = Path(__file__).resolve().parent.parent.parent
SCRIPTS = [
    "scripts/setup",
    "scripts/run",
    "scripts/services",
    "scripts/check",
    "scripts/lint",
    "scripts/bench",
    ".ci/run",
]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_programs_of_a_plain_shell(name):
    path = BASE / name
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/bin/sh\n")
    assert subprocess.run(["sh", "-n", path], check=False).returncode == 0


def test_no_python_is_told_in_words(tmp_path):
    for name in ("sh", "dirname", "cmp", "cat"):
        (tmp_path / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", BASE / "scripts" / "setup", "run"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr
    assert "apt install python3" in done.stderr


def test_pinned_requirements_have_hashes_and_name_no_index():
    for name in ("run.txt", "dev.txt", "uv.txt"):
        text = (BASE / "requirements" / name).read_text()
        pins = [line for line in text.splitlines() if "==" in line and not line.startswith(("#", " "))]
        assert pins
        assert all(line.endswith("\\") for line in pins)
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text
