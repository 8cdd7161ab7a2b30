"""Tables without business meaning."""

from core.models.audit import AuditEntry
from core.models.hit import Hit
from core.models.lease import Lease

__all__ = ["AuditEntry", "Hit", "Lease"]
