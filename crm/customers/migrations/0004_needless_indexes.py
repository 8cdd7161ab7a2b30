"""Keys that composite indexes begin with give up indexes of their own: each of those cost every write."""

import django.db.models.deletion
from django.db import migrations, models

from core.indexes import DropKeyIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('customers', '0003_refused_numbers'),
    ]

    operations = [
        DropKeyIndex(
            model_name='timelineentry',
            name='contact',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='timeline', to='customers.contact'),
        ),
    ]
