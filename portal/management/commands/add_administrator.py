"""The first person of a new installation."""

from __future__ import annotations

import getpass
import os
from argparse import ArgumentParser
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from crm.organisation import services
from crm.organisation.models import User
from crm.organisation.roles import ADMINISTRATOR


class Command(BaseCommand):
    """`add_administrator ADDRESS [--name NAME]`: asks for the password, or takes it from ADMINISTRATOR_PASSWORD."""

    help = "Make an administrator whose address counts as verified: on a new machine no mail can be sent yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See the class."""
        parser.add_argument("address")
        parser.add_argument("--name", default="")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError for an address that is taken or none, and for a password that is too weak."""
        address = options["address"].strip().lower()
        try:
            validate_email(address)
        except ValidationError:
            raise CommandError(f"{address!r} is not an e-mail address.") from None
        if User.objects.filter(email=address).exists():
            raise CommandError(f"{address} has a login already.")
        password = os.environ.get("ADMINISTRATOR_PASSWORD") or getpass.getpass("Password: ")
        try:
            validate_password(password, User(email=address, name=options["name"]))
        except ValidationError as fault:
            raise CommandError(" ".join(fault.messages)) from None
        with transaction.atomic():
            user = User.objects.create_user(address, password, name=options["name"])
            services.set_roles(user, [ADMINISTRATOR])
            EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
        self.stdout.write(f"{address} is an administrator now.")
