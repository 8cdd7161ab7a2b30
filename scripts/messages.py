"""Texts to translate: `collect` writes them into locale/, `check` says what is missing there.

Collecting needs GNU gettext (xgettext, msgmerge); checking does without it, and then compares only the catalogues.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import polib

BASE = Path(__file__).resolve().parent.parent
LOCALES = ("zh_Hans", "zh_Hant")
PACKAGES = ("core", "routing", "crm", "inbox", "portal")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}")


def collect(locale: Path) -> None:
    """Bring the catalogues in `locale` up to date with the sources."""
    sys.path.insert(0, str(BASE))
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.core.management.commands.makemessages import Command

    django.setup()
    Command.xgettext_options = [*Command.xgettext_options, "--keyword=said"]  # see core.said
    # Django writes into whatever locale/ lies above the sources, so they are shown to it beside a copy of ours.
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in PACKAGES:
            (root / name).symlink_to(BASE / name, target_is_directory=True)
        for name in LOCALES:
            (root / "locale" / name / "LC_MESSAGES").mkdir(parents=True)
            for path in (locale / name).rglob("*.po"):
                shutil.copy(path, root / "locale" / name / "LC_MESSAGES")
        settings.LOCALE_PATHS = [root / "locale"]
        options = {"locale": list(LOCALES), "no_wrap": True, "no_obsolete": True, "add_location": "file"}
        with contextlib.chdir(root):
            for domain in ("django", "djangojs"):
                call_command("makemessages", **options, domain=domain, symlinks=True, verbosity=0, stdout=io.StringIO())
        for path in (root / "locale").rglob("*.po"):
            _tidy(path, locale / path.relative_to(root / "locale"))


def _tidy(path: Path, target: Path) -> None:
    """Write a catalogue in an order, and with a head, that change only when its texts do."""
    catalogue = polib.pofile(str(path), wrapwidth=0)
    catalogue.header = ""
    catalogue.metadata = {
        "Project-Id-Version": "Guichet",
        "Language": path.parent.parent.name,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    catalogue.metadata_is_fuzzy = False
    for entry in catalogue:
        if entry.fuzzy:  # a guess of msgmerge, from a text that looks alike
            entry.flags.remove("fuzzy")
            entry.msgstr = entry.previous_msgid = entry.previous_msgid_plural = entry.previous_msgctxt = ""
            entry.msgstr_plural = dict.fromkeys(entry.msgstr_plural, "")
    catalogue.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
    target.unlink(missing_ok=True)
    if len(catalogue):
        target.parent.mkdir(parents=True, exist_ok=True)
        catalogue.save(str(target))


def faults_of(path: Path) -> list[str]:
    """What is wrong in one catalogue: not translated, fuzzy, left over, or with other placeholders than the source."""
    found = []
    for entry in polib.pofile(str(path)):
        texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if entry.obsolete:
            found.append(f"no longer used: {entry.msgid!r}")
        elif entry.fuzzy:
            found.append(f"fuzzy: {entry.msgid!r}")
        elif not all(texts):
            found.append(f"not translated: {entry.msgid!r}")
        else:
            source = entry.msgid_plural or entry.msgid
            wanted = set(PLACEHOLDER.findall(source))
            # A language without plural forms may write the number or leave it out only where the source does.
            allowed = wanted | set(PLACEHOLDER.findall(entry.msgid))
            for text in texts:
                given = set(PLACEHOLDER.findall(text))
                if not wanted <= given or not given <= allowed:
                    found.append(f"placeholders differ: {entry.msgid!r}")
    return [f"{path.relative_to(BASE)}: {fault}" for fault in found]


def texts_in(locale: Path) -> dict[str, set[tuple[str, str]]]:
    """The texts of each catalogue below `locale`."""
    return {
        str(path.relative_to(locale)): {(entry.msgctxt or "", entry.msgid) for entry in polib.pofile(str(path))}
        for path in locale.glob("*/LC_MESSAGES/*.po")
    }


def check() -> int:
    """Say what is wrong; 1 when anything is."""
    locale = BASE / "locale"
    faults = [fault for path in sorted(locale.rglob("*.po")) for fault in faults_of(path)]
    faults += [f"locale/{name}: no catalogue" for name in LOCALES if not (locale / name).is_dir()]
    if shutil.which("xgettext"):
        with tempfile.TemporaryDirectory() as folder:
            fresh = Path(folder) / "locale"
            collect(fresh)
            wanted, given = texts_in(fresh), texts_in(locale)
        for name in sorted(wanted.keys() | {n for n in given if n.startswith(LOCALES)}):
            here, there = given.get(name, set()), wanted.get(name, set())
            faults += [f"locale/{name}: missing {text!r}" for _, text in sorted(there - here)]
            faults += [f"locale/{name}: no longer in the sources: {text!r}" for _, text in sorted(here - there)]
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults" if faults else "complete")
    return bool(faults)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["collect"]:
            collect(BASE / "locale")
        case ["check"]:
            sys.exit(check())
        case _:
            sys.exit(__doc__)
