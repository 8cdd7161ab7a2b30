"""The way of an import: uploaded, its columns named, looked through, read by a person, taken in. Or of a search.

The row is its own ledger: state and lease. One whose worker was killed is begun again, and adds only what is missing.
"""

from __future__ import annotations

import itertools
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import phonenumbers
from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core import ledger
from crm.marketing import queries
from crm.marketing.importing import reading, taking
from crm.marketing.models import CallList, CallListImport
from crm.marketing.services import building, lists
from crm.marketing.services.refusals import NotPossible
from crm.organisation.models import User

log = logging.getLogger(__name__)

State = CallListImport.State
WAITING = (State.READING, State.CHECKING, State.RUNNING)
LEASE_SECONDS = 60
"""Renewed with every chunk."""
MAX_ATTEMPTS = 5
FIRST_ROWS = 6
MAX_BYTES = 200 * 1024 * 1024
KEEP = timedelta(days=7)
"""How long a file waits for its columns to be named, or for its report to be read."""


@transaction.atomic
def upload(call_list: CallList, file: File[Any], *, by: User | None) -> CallListImport:
    """Keep the file. Raises NotPossible for one that is too large or no table."""
    if file.size > MAX_BYTES:
        raise NotPossible(_("This file is too large: %(count)d MB at most.") % {"count": MAX_BYTES // 2**20})
    try:
        is_workbook = reading.check(file)
    except reading.Unreadable as fault:
        raise NotPossible(str(fault)) from fault
    row = CallListImport(call_list=call_list, name=str(file.name or "")[-200:], by=by)
    file.seek(0)
    row.file.save(uuid.uuid4().hex, file, save=False)  # its own name is the stranger's
    return _wait(row, State.READING if is_workbook else State.UPLOADED)


def beginning(row: CallListImport) -> list[list[str]]:
    """The first rows, for whoever names the columns; of a workbook once a worker has read them."""
    if row.begin is not None or row.state == State.READING:
        return row.begin or []
    return _first_rows(row)


@transaction.atomic
def check(row: CallListImport, columns: Mapping[str, int], *, region: str, has_heading: bool) -> CallListImport:
    """Have the file looked through with these columns. Raises NotPossible."""
    row = _locked(row)
    if row.state in WAITING or row.state == State.DONE:
        raise NotPossible(_("This file is being worked on, or was taken in already."))
    if "number" not in columns:
        raise NotPossible(_("Say which column holds the telephone numbers."))
    if not set(columns) <= set(taking.FIELDS) or any(not 0 <= place < reading.COLUMNS for place in columns.values()):
        raise NotPossible(_("There is no such column."))
    if region and region not in phonenumbers.SUPPORTED_REGIONS:
        raise NotPossible(_("There is no such country."))
    row.columns, row.region, row.has_heading, row.report = dict(columns), region, has_heading, {}
    return _wait(row, State.CHECKING)


@transaction.atomic
def confirm(row: CallListImport) -> CallListImport:
    """Have it taken in as the report says. Does nothing when that was asked before. Raises NotPossible."""
    row = _locked(row)
    if row.state in (State.RUNNING, State.DONE):
        return row
    if row.state != State.READY:
        raise NotPossible(_("Check the file first."))
    return _wait(row, State.RUNNING)


@transaction.atomic
def search(call_list: CallList, wanted: queries.Search, *, by: User | None) -> CallListImport:
    """Have everybody whom the search finds put on the list."""
    name, found = queries.in_words(wanted)[:200], queries.as_json(wanted)
    return _wait(CallListImport(call_list=call_list, name=name, search=found, by=by), State.RUNNING)


def work_waiting() -> int:
    """Look through and take in what waits; how many files and searches. A duty of the workers."""
    waiting = CallListImport.objects.filter(state__in=WAITING)
    if not waiting.filter(ledger.due()).exists():
        return 0
    done = 0
    for row in ledger.claim(waiting, limit=1, seconds=LEASE_SECONDS):
        with translation.override((row.by and row.by.language) or settings.LANGUAGE_CODE):
            _work(row)
        done += 1
    return done


def forget_old() -> int:
    """Delete files that nobody took in, and the bytes of those that were; how many."""
    old = CallListImport.objects.filter(at__lt=timezone.now() - KEEP).exclude(file="").exclude(state__in=WAITING)
    found = list(old[:100])
    for row in found:
        _drop_file(row)
    return len(found)


def _work(row: CallListImport) -> None:
    if row.attempts > MAX_ATTEMPTS:
        _end(row, State.FAILED, {}, _("Work on this file was interrupted too often."))
        return
    try:
        state, report = _outcome(row)
    except reading.Unreadable as fault:
        _end(row, State.FAILED, {}, str(fault))
    except FileNotFoundError:
        log.warning("the file of import %s is gone", row.pk)
        _end(row, State.FAILED, {}, _("The file is gone. Upload it again."))
    else:
        _end(row, state, report, "")


def _outcome(row: CallListImport) -> tuple[str, dict[str, Any]]:
    """Do what is waited for: the state that follows, and the report. Raises Unreadable, FileNotFoundError."""
    if row.search is not None:
        wanted = queries.from_json(row.search)
        known = row.report.get("of")
        of = queries.numbers(wanted).count() if known is None else known
        return State.DONE, building.add_found(row.call_list, wanted, still_ours=_still_ours(row, of)).as_json()
    if not row.file:
        raise FileNotFoundError
    if row.state == State.READING:
        ledger.held(CallListImport.objects.all(), row).update(begin=_first_rows(row))
        return State.UPLOADED, {}
    looks = row.state == State.CHECKING
    work, after = (taking.look_through, State.READY) if looks else (taking.take_in, State.DONE)
    layout = taking.Layout(row.columns, row.has_heading, row.region)
    # How many rows it has is known once it was looked through, and stays known over an interruption.
    of = 0 if looks else row.report.get("of", row.report.get("rows")) or 0
    with row.file.open("rb") as file:
        return after, work(row.call_list, file, layout, still_ours=_still_ours(row, of)).as_json()


def _still_ours(row: CallListImport, of: int) -> Callable[[taking.Report | building.Added], bool]:
    """Renews the lease and tells how far the work is: so much of `of`, which is 0 while nobody knows."""

    def renewed(report: taking.Report | building.Added) -> bool:
        until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
        told = {**report.as_json(), "of": of}
        return bool(ledger.held(CallListImport.objects.all(), row).update(lease_until=until, report=told))

    return renewed


def _first_rows(row: CallListImport) -> list[list[str]]:
    with row.file.open("rb") as file:
        return list(itertools.islice(reading.rows(file), FIRST_ROWS))


@transaction.atomic
def _end(row: CallListImport, state: str, report: dict[str, Any], error: str) -> None:
    """Write the result, if the row is still ours."""
    done = ledger.held(CallListImport.objects.all(), row).update(
        state=state, report=report, error=error, lease_token="", lease_until=None, attempts=0
    )
    if done and state == State.DONE:
        what = "imported" if row.search is None else "built"
        lists.note(row.call_list, row.by, what, new=str(report["new"]), why=row.name)
        if row.file:
            transaction.on_commit(lambda: _drop_file(row))


def _drop_file(row: CallListImport) -> None:
    """The row first: one that names no file any more is better than one that names a file that is gone."""
    name, storage = str(row.file.name), row.file.storage
    CallListImport.objects.filter(pk=row.pk).update(file="")
    storage.delete(name)


def _locked(row: CallListImport) -> CallListImport:
    return CallListImport.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)


def _wait(row: CallListImport, state: str) -> CallListImport:
    row.state, row.next_at, row.error = state, timezone.now(), ""
    row.lease_token, row.lease_until, row.attempts = "", None, 0
    row.save()
    return row
