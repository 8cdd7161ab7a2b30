"""What a measurement says."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One number beside a reference that was measured in the same run, so that machines can be compared."""

    name: str
    value: float
    unit: str
    reference: float
    """What `value` is held against; each measurement says what it took."""
    goal: str
    note: str = ""
    """What has to be known to judge the number."""

    def tell(self) -> None:
        """Print it as one JSON line."""
        row = asdict(self)
        row["value"], row["reference"] = round(self.value, 3), round(self.reference, 3)
        if not self.note:
            del row["note"]
        row["ratio"] = round(self.value / self.reference, 3) if self.reference else None
        print(json.dumps(row, ensure_ascii=False), flush=True)


def percentile(values: Sequence[float], share: int) -> float:
    """The value that `share` percent of `values` do not exceed."""
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]
