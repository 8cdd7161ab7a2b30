"""Each fixed view of the inbox gets an index that is in its order, so that its first page costs the same at any size."""

from django.db import migrations, models
from django.db.models import Q

from core.indexes import AddIndexOnline

WORKING = Q(("status__in", ["new", "open"]))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("service", "0001_initial")]
    operations = [
        AddIndexOnline(
            "ticket",
            models.Index(
                condition=Q(("due_at__isnull", False), ("status__in", ["new", "open"])),
                fields=["due_at", "id"],
                name="ticket_due_working",
            ),
        ),
        AddIndexOnline(
            "ticket",
            models.Index(
                condition=Q(("assignee", None), ("status__in", ["new", "open"])),
                fields=["-activity_at", "-id"],
                name="ticket_unassigned",
            ),
        ),
        AddIndexOnline(
            "ticket",
            models.Index(condition=WORKING, fields=["priority", "-activity_at", "-id"], name="ticket_priority_working"),
        ),
        AddIndexOnline(
            "ticket",
            models.Index(
                condition=Q(("status__in", ["resolved", "closed"])),
                fields=["-activity_at", "-id"],
                name="ticket_finished",
            ),
        ),
    ]
