from django.db import migrations

from core.audit import TRIGGERS


def guard(_apps, editor):
    """Databases made before this know the last trigger of SQLite not yet."""
    if editor.connection.vendor == "sqlite":
        editor.execute(TRIGGERS["sqlite"][-1])


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0003_plain_labels'),
    ]

    operations = [
        migrations.RunPython(guard, migrations.RunPython.noop),
    ]
