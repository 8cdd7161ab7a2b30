"""The measurements, as far as they can be tried without measuring."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.__main__ import MEASUREMENTS
from tests.processes import BASE

pytestmark = pytest.mark.once


@pytest.mark.parametrize("module", sorted({module for module, _database in MEASUREMENTS.values()}))
def test_a_measurement_starts_in_a_process_without_django(module: str) -> None:
    """Each drives the product from outside, and would be slowed by a Django of its own."""
    code = f"import {module} as it; assert callable(it.main)"
    subprocess.run([sys.executable, "-c", code], cwd=BASE, check=True, timeout=60)
