"""The way back in when the phone of the last administrator is lost."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.organisation import people
from crm.organisation.models import User


class Command(BaseCommand):
    """`forget_second_factor ADDRESS`: takes the second factor away and ends all sessions of the person."""

    help = "Take away somebody's second factor, for a lost phone. The next login asks to set up another one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See the class."""
        parser.add_argument("address")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError when there is no such person or no second factor."""
        user = User.objects.filter(email=options["address"].strip().lower()).first()
        if user is None:
            raise CommandError(f"Nobody has the address {options['address']!r}.")
        if not people.forget_second_factor(user, by=None):
            raise CommandError(f"{user.email} has no second factor.")
        self.stdout.write(f"{user.email} has no second factor now.")
