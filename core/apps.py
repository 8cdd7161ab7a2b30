"""The ground every room stands on."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Core knows no business."""

    name = "core"
