import django.db.models.deletion
from django.db import migrations, models


def keep_what_was_done(apps, schema_editor):
    """No rule does its work a second time in the stretch of time that runs at the moment."""
    RuleRun = apps.get_model("routing", "RuleRun")
    TimedRule = apps.get_model("service", "TimedRule")
    tickets = set(apps.get_model("service", "Ticket").objects.exclude(status__in=["closed", "merged"]).values_list("pk", flat=True))
    rules = set(apps.get_model("routing", "Rule").objects.values_list("pk", flat=True))
    done = {}
    runs = RuleRun.objects.filter(event__in=["ticket.idle", "ticket.waiting"]).order_by("pk")
    for subject, at, matched in runs.values_list("subject", "at", "matched").iterator(1000):
        ticket = int(subject.removeprefix("ticket:"))
        done.update({(match["rule"], ticket): at for match in matched if ticket in tickets and match["rule"] in rules})
    TimedRule.objects.bulk_create(
        (TimedRule(rule_id=rule, ticket_id=ticket, at=at) for (rule, ticket), at in done.items()), batch_size=500
    )


class Migration(migrations.Migration):
    dependencies = [
        ("routing", "0006_days_that_differ_may_be_split"),
        ("service", "0004_promises_stand_still"),
    ]

    operations = [
        migrations.CreateModel(
            name="TimedRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "rule",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="routing.rule",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="service.ticket"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("rule", "ticket"), name="timed_rule_once")],
            },
        ),
        migrations.RunPython(keep_what_was_done, migrations.RunPython.noop),
    ]
