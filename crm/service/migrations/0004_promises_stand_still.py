from django.db import migrations, models
from django.db.models import F, Q
from django.utils import timezone

UNFINISHED = ["new", "open", "pending", "snoozed"]


def keep_what_was_told(apps, schema_editor):
    """Nobody is told twice of the promises that are open at the moment."""
    Escalation = apps.get_model("service", "Escalation")
    Ticket = apps.get_model("service", "Ticket")
    Escalation.objects.update(since=F("due_at"))
    seen, needless = set(), []
    rows = Escalation.objects.filter(ticket__status__in=UNFINISHED).select_related("ticket").order_by("-pk")
    for row in rows.iterator(1000):
        ticket = row.ticket
        if row.clock == "next":
            since = ticket.waiting_since if row.due_at == ticket.next_answer_due else None
        else:
            since = ticket.opened_at
        if since is None:
            continue
        key = (ticket.pk, row.clock, row.level)
        if key in seen:
            needless.append(row.pk)
        else:
            Escalation.objects.filter(pk=row.pk).update(since=since)
        seen.add(key)
    for start in range(0, len(needless), 500):
        Escalation.objects.filter(pk__in=needless[start : start + 500]).delete()
    Ticket.objects.filter(status="pending").update(stands_since=F("activity_at"))
    Ticket.objects.filter(status__in=UNFINISHED, sla__isnull=False).update(warn_at=timezone.now())
    if schema_editor.connection.vendor == "postgresql":
        # No table is altered while checks of its changed rows are still to come.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0004_needless_indexes"),
        ("routing", "0004_failed_runs"),
        ("service", "0003_needless_indexes"),
    ]

    operations = [
        migrations.AddField("ticket", "stands_since", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("ticket", "stood_minutes", models.PositiveIntegerField(default=0)),
        migrations.AddField("ticket", "warn_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddIndex(
            "ticket",
            models.Index(condition=Q(("warn_at__isnull", False)), fields=["warn_at"], name="ticket_warn"),
        ),
        migrations.RemoveConstraint("escalation", "escalation_once"),
        migrations.AddField("escalation", "since", models.DateTimeField(null=True)),
        migrations.RunPython(keep_what_was_told, migrations.RunPython.noop),
        migrations.AlterField("escalation", "since", models.DateTimeField()),
        migrations.AddConstraint(
            "escalation",
            models.UniqueConstraint(fields=("ticket", "clock", "level", "since"), name="escalation_once"),
        ),
    ]
