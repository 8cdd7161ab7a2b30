"""Keys that composite indexes begin with give up indexes of their own: each of those cost every write."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.indexes import DropKeyIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('customers', '0004_needless_indexes'),
        ('routing', '0004_failed_runs'),
        ('service', '0002_list_indexes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        DropKeyIndex(
            model_name='ticket',
            name='assignee',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='assigned_tickets', to=settings.AUTH_USER_MODEL, verbose_name='assignee'),
        ),
        DropKeyIndex(
            model_name='ticket',
            name='contact',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='customers.contact', verbose_name='contact'),
        ),
        DropKeyIndex(
            model_name='ticket',
            name='customer',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tickets', to='customers.customer', verbose_name='customer'),
        ),
        DropKeyIndex(
            model_name='ticket',
            name='queue',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='routing.queue', verbose_name='queue'),
        ),
        DropKeyIndex(
            model_name='ticketevent',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='service.ticket'),
        ),
        DropKeyIndex(
            model_name='ticketparticipant',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='participants', to='service.ticket'),
        ),
    ]
