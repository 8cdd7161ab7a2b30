"""From one delivery to one job of HylaFAX, and on until the other machine has it or never will.

A call takes minutes and waits for a line for hours, so nobody waits here: a job is submitted, or looked at, and the
delivery comes back a little later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.conf import settings as site

from core import fault
from core.said import said as _
from inbox.channels.base import Outbound, Outcome, Receipt
from inbox.channels.fax import numbers
from inbox.channels.fax.hfaxd import HfaxdFault, Job, Order, Server, Session, Submitted, connected

if TYPE_CHECKING:
    from inbox.models import Channel

LOOK_AGAIN = 5.0
FORGOTTEN = 600.0
"""HylaFAX clears away finished jobs after a quarter of an hour: a mark that is not found later proves nothing."""


def server(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Server:
    """The channel's fax server."""
    return Server(
        host=str(settings.get("out_host") or ""),
        port=int(settings.get("out_port") or 4559),
        user=str(settings.get("out_user") or "guichet"),
        password=secrets.get("out_password", ""),
        seconds=float(site.MAIL_TIMEOUT),
    )


async def send(channel: Channel, out: Outbound) -> Receipt:
    """One look or one submission. Never raises for a fault of the other side."""
    loop = asyncio.get_running_loop()

    async def ask() -> bool:
        return out.go is None or await out.go()

    def go() -> bool:
        return asyncio.run_coroutine_threadsafe(ask(), loop).result()

    return await asyncio.to_thread(_send, channel.settings, server(channel.settings, channel.secrets()), out, go)


def _send(settings: Mapping[str, Any], at: Server, out: Outbound, go: Any) -> Receipt:
    tried = int(out.kept.get("tried", 0))
    mark = f"guichet-{out.kept['mark']}-{tried}"
    try:
        with connected(at) as session:
            if job := str(out.kept.get("job", "")):
                return _taken_back(session, job, out.kept) if out.call_off else _looked_at(session, job, out.kept)
            if out.unclear_for is not None:
                if job := session.find(mark):
                    return _looked_at(session, job, out.kept)
                if out.unclear_for > FORGOTTEN:
                    return _forgotten(out.kept)
            number = numbers.dialled(
                out.recipient,
                how=str(settings.get("out_dial") or "international"),
                region=str(settings.get("region", "")),
                prefix=str(settings.get("out_prefix") or ""),
            )
            form = "pdf" if out.content.startswith(b"%PDF-") else "tiff"
            order = Order(out.content, form, number, mark, dials=int(settings.get("out_dials") or 6))
            job = session.submit(order, go)
            fault.point("fax.submitted")
            if not job:
                return Receipt(Outcome.LATER, response="lease lost")
            return _under_way(job, _("Given to the fax server as job %(job)s.", job=job), out.kept)
    except Submitted as lost:
        return Receipt(
            Outcome.UNCERTAIN,
            response=_("The fax server was lost just after it was given job %(job)s.", job=lost),
        )
    except HfaxdFault as no:
        if no.number:
            return Receipt(Outcome.RECIPIENT_FAULT, no.code, str(no))
        return Receipt(Outcome.ACCOUNT_FAULT if no.account else Outcome.LATER, no.code, str(no), whole_account=True)


def _looked_at(session: Session, number: str, kept: Mapping[str, Any]) -> Receipt:
    job = session.job(number)
    if job is None:
        return _forgotten(kept)
    if job.state == "DONE":
        words = _("Delivered with call %(dials)s. Pages: %(pages)s.", pages=job.pages, dials=max(job.dials, 1))
        return Receipt(Outcome.SENT, 200, words, external_id=number, kept=_again(kept))
    if job.state == "FAILED":
        words = _("Not delivered after %(dials)s calls: %(why)s", dials=job.dials, why=job.status or "?")
        return Receipt(Outcome.RECIPIENT_FAULT, 0, words, external_id=number, kept=_again(kept))
    return _under_way(number, in_words(job), kept)


def _taken_back(session: Session, number: str, kept: Mapping[str, Any]) -> Receipt:
    """Ask the server to give the job up, and say what came of it: it may be too late."""
    job = session.job(number)
    refused = ""
    if job is not None and not job.is_over:
        refused = session.kill(number)
        job = session.job(number)
    if job is None or (not job.is_over and refused):
        seen = _looked_at(session, number, kept)
        words = _("The fax server does not give it up: %(detail)s", detail=refused)
        return replace(seen, response=words) if refused else seen
    if job.state == "FAILED":
        names = {"dials": job.dials, "pages": job.pages}
        words = _("Called off at the fax server. Calls until then: %(dials)s, pages: %(pages)s.", **names)
        return Receipt(Outcome.CALLED_OFF, response=words, external_id=number, kept=_again(kept))
    if job.state == "DONE":
        seen = _looked_at(session, number, kept)
        return replace(seen, response=_("It was too late to call it off. %(what)s", what=seen.response))
    return _under_way(number, _("It is being called off."), kept)


def _under_way(job: str, words: str, kept: Mapping[str, Any]) -> Receipt:
    return Receipt(Outcome.LATER, 0, words, external_id=job, look_again=LOOK_AGAIN, kept={**kept, "job": job})


def _again(kept: Mapping[str, Any]) -> dict[str, Any]:
    """For whoever presses “Send again”: a new job with a new mark."""
    return {"mark": kept["mark"], "tried": int(kept.get("tried", 0)) + 1}


def _forgotten(kept: Mapping[str, Any]) -> Receipt:
    words = _("The fax server does not know this job any more. Nobody knows whether the fax arrived.")
    return Receipt(Outcome.UNCERTAIN, response=words, resend=False, kept=_again(kept))


def in_words(job: Job) -> str:
    """What the fax server is doing with the job."""
    names = {"n": job.dials, "next": job.dials + 1, "why": job.status, "pages": job.pages}
    if job.state == "ACTIVE":
        if job.status:
            return _("Call %(n)s: %(why)s", **names, n=max(job.dials, 1))
        return _("Being dialled, call %(next)s.", **names)
    if job.dials and job.status:
        return _("Call %(n)s: %(why)s. It is tried again by itself.", **names, why=job.status.rstrip("."))
    if job.state == "SUSPENDED":
        return _("Somebody holds it back at the fax server.")
    if job.state == "BLOCKED":
        return _("Another fax to this number goes first.")
    return _("Waiting for a free line.")
