"""Tables without business meaning."""

from core.models.hit import Hit
from core.models.lease import Lease

__all__ = ["Hit", "Lease"]
