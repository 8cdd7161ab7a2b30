"""Channels from a file, for deployments."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from inbox.channels import registry
from inbox.channels.settings_form import ChannelSettingsForm
from inbox.models import Channel, Template
from inbox.services.channel_setup import check_free, save_channel
from routing.models import Queue

_OWN = {"name", "kind", "address", "aliases", "display_name", "queue", "language", "active", "acknowledge"}


class Command(BaseCommand):
    """`load_channels FILE.json`: makes the channels named in it, or changes them. See docs/channels.md."""

    help = "Make or change channels, by name, from a JSON file. All of them or none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See the class."""
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError that says what is wrong with which channel; nothing is changed then."""
        try:
            listed = json.loads(options["file"].read_text("utf-8"))
        except (OSError, ValueError) as fault:
            raise CommandError(f"{options['file']}: {fault}") from fault
        entries = listed.get("channels") if isinstance(listed, dict) else listed
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise CommandError(f'{options["file"]}: expected {{"channels": [{{…}}, …]}}')
        with transaction.atomic():
            done = [self._load(entry) for entry in entries]
        for line in done:
            self.stdout.write(line)

    def _load(self, entry: dict[str, Any]) -> str:
        name = str(entry.get("name", "")).strip()
        if not name:
            raise CommandError("a channel without a name")
        channel = Channel.objects.filter(name=name).first() or Channel(name=name)
        made = channel.pk is None
        kind = str(entry.get("kind") or channel.kind or "email")
        try:
            adapter = registry.adapter(kind)
        except registry.UnknownChannelKind:
            known = ", ".join(each.kind for each in registry.adapters())
            raise CommandError(f"{name}: no channel kind “{kind}”; there are {known}") from None
        if not made and kind != channel.kind:
            raise CommandError(f"{name}: it is of kind “{channel.kind}” and stays so")
        form_class = adapter.form
        further = getattr(adapter, "from_file", {})
        given = {key: value for key, value in entry.items() if key not in _OWN and key not in further}
        unknown = sorted(set(given) - set(form_class.base_fields))
        if unknown:
            raise CommandError(f"{name}: unknown settings {', '.join(unknown)}")
        secret_names: frozenset[str] = getattr(form_class, "secrets", frozenset())
        for key in secret_names & set(given):
            given[key] = self._secret(name, key, given[key])
        stored = channel.secrets() if not made else {}
        initial = {key: field.initial for key, field in form_class.base_fields.items() if field.initial is not None}
        values = {**initial, **channel.settings, **given}
        own = issubclass(form_class, ChannelSettingsForm)
        form = form_class(values, stored=stored, initial=channel.settings) if own else form_class(values)
        if not form.is_valid():
            problems = "; ".join(f"{key}: {' '.join(map(str, errors))}" for key, errors in form.errors.items())
            raise CommandError(f"{name}: {problems}")
        channel.kind = kind
        self._own(channel, entry, form)
        settings = form.settings() if isinstance(form, ChannelSettingsForm) else dict(form.cleaned_data)
        secrets = {key: form.cleaned_data[key] for key in secret_names if given.get(key)}
        save_channel(channel, settings, secrets, by=None)
        for key in further.keys() & entry.keys():
            try:
                further[key](channel, self._secret(name, key, entry[key]))
            except ValueError as fault:
                raise CommandError(f"{name}: {key}: {fault}") from fault
        return f"{'made' if made else 'changed'}: {name}"

    def _own(self, channel: Channel, entry: dict[str, Any], form: Any) -> None:
        for key in ("display_name", "language"):
            if key in entry:
                setattr(channel, key, str(entry[key]))
        if "address" in entry:
            channel.address = self._spelled(channel, entry["address"], form)
        if "aliases" in entry:
            channel.aliases = [self._spelled(channel, each, form) for each in entry["aliases"]]
        if "active" in entry:
            channel.active = bool(entry["active"])
        if channel.kind == "email" and "@" not in channel.address:
            raise CommandError(f"{channel.name}: an e-mail channel needs an address")
        if "acknowledge" in entry:
            template = Template.objects.filter(name=entry["acknowledge"], purpose=Template.Purpose.AUTOMATIC).first()
            if entry["acknowledge"] and template is None:
                raise CommandError(f"{channel.name}: no automatic answer called “{entry['acknowledge']}”")
            channel.acknowledge = template
        queue = str(entry.get("queue") or "").strip()
        if queue:
            channel.queue = Queue.objects.get_or_create(name=queue)[0]
        elif channel.queue_id is None:
            raise CommandError(f"{channel.name}: a queue is needed")

    @staticmethod
    def _spelled(channel: Channel, text: Any, form: Any) -> str:
        """An address of our own as the screens would store it."""
        address = str(text).strip().lower()
        if not address:
            return ""
        try:
            if isinstance(form, ChannelSettingsForm):
                address = form.own_address(address)
            check_free(address, channel)
            return address
        except ValidationError as fault:
            raise CommandError(f"{channel.name}: {' '.join(fault.messages)}") from fault

    @staticmethod
    def _secret(channel: str, key: str, value: Any) -> str:
        """A secret as it stands, or `env:NAME` from the environment."""
        text = str(value)
        if not text.startswith("env:"):
            return text
        found = os.environ.get(text[4:])
        if found is None:
            raise CommandError(f"{channel}: {key} is to come from the environment, but {text[4:]} is not set")
        return found
