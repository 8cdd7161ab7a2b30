"""The memory of rate limits, shared by all processes."""

from __future__ import annotations

from django.db import models


class Hit(models.Model):
    """How often something happened in one window of time."""

    key = models.CharField(max_length=120)
    window = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window"], name="hit_once")]
        indexes = [models.Index(fields=["window"], name="hit_window")]

    def __str__(self) -> str:
        return f"{self.key} {self.count}"
