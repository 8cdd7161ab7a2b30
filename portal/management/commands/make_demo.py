"""The demo company, for a try-out."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from portal.demo import company, office, people


class Command(BaseCommand):
    """`make_demo`: migrates the database and makes the demo company when it is not there yet; prints the logins."""

    help = "Migrate the database, make the demo company once, and print its addresses and logins."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See the class."""
        parser.add_argument("--quiet", action="store_true", help="print nothing")
        parser.add_argument("--serve", action="store_true", help="then serve it, as `serve` does")
        parser.add_argument("--port", type=int, default=8000, help="where its pages are then")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError outside a try-out: known passwords have no place beside real customers."""
        if not settings.DEMO:
            raise CommandError("This makes logins with a known password. Set GUICHET_DEMO=1 if you want that.")
        call_command("migrate", verbosity=0, interactive=False)
        if not company.exists():
            if not options["quiet"]:
                self.stdout.write("Making the demo company …")
                self.stdout.flush()
            company.make()
        if not options["quiet"]:
            self._tell(f"http://127.0.0.1:{options['port']}" if options["serve"] else settings.BASE_URL)
        if options["serve"]:
            # In this process: starting Django a second time would double the wait of whoever tries Guichet out.
            connection.close()
            call_command("serve", port=options["port"])

    def _tell(self, site: str) -> None:
        lines = [
            "",
            f"Desk      {site}/desk/inbox/",
            f"Portal    {site}/my/",
            f"Chat      {site}/demo/widget/",
            f"Mail in   support@{people.DOMAIN} by SMTP at {settings.SMTP_DOOR or '(closed)'}",
            f"Calls in  {site}/api/v1/cti/{office.CTI_TOKEN} (see docs/phone.md)",
            f"Mail out  written to {settings.MAIL_SINK}/",
            "",
            f"Every password is {people.PASSWORD}",
        ]
        for who in people.COLLEAGUES:
            lines.append(f"  {who.role:<14} {who.address + '@' + people.DOMAIN:<32} {who.name}")
        for key, address in people.login_addresses().items():
            lines.append(f"  {'customer':<14} {address:<32} {key}")
        self.stdout.write("\n".join([*lines, ""]))
