"""Keys that composite indexes begin with give up indexes of their own: each of those cost every write."""

import django.db.models.deletion
from django.db import migrations, models

from core.indexes import DropKeyIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('inbox', '0012_plain_labels'),
        ('service', '0002_list_indexes'),
    ]

    operations = [
        DropKeyIndex(
            model_name='message',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='service.ticket'),
        ),
        DropKeyIndex(
            model_name='rawmessage',
            name='channel',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='raw_messages', to='inbox.channel'),
        ),
    ]
