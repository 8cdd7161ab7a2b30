"""What telephone systems report becomes one row a call, and one message when it is over.

States go forward only: ringing, talking, over. Events come twice, late, out of order or not at all; whatever comes, the
row is the same in the end, and its message is written once. Who talked is known only by an `answer`: a call that ended
without one was missed, because a caller taken for answered would be forgotten. An answer that comes late corrects it;
one that names somebody else while the talk goes on has put the call through to him.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from crm.customers import numbers
from crm.organisation.models import User
from inbox.channels.phone.events import Event
from inbox.channels.phone.settings import recording_allowed
from inbox.models import Call, Channel
from inbox.services import call_aftermath, call_journal, call_people, ringing

LONGEST = timedelta(hours=12)
"""No call takes longer: whatever is further apart says nothing of its length."""
BACKDATED = timedelta(days=7)
"""How far back a telephone system may date an event."""
RINGS_MOST = timedelta(hours=1)
"""So long a call may ring before its end counts as lost."""
BLIND = timedelta(minutes=2)
"""So long the end of a call without numbers waits for its beginning, and a forwarded call for the one that follows."""
ID_KEPT = 200
"""Signs of the telephone system's name for a call that are kept of an older one."""
FORWARDED = "forwarded"
"""The cause of an end that is none: the caller was sent on, and rings elsewhere."""
VOICEMAIL = frozenset({"voicemail", "mailbox"})


@transaction.atomic
def report(channel: Channel, event: Event) -> Call:
    """Take one event in; the call as it is afterwards. The row is locked, so that parallel events come one by one."""
    now = timezone.now()
    at = event.at if event.at and now - BACKDATED < event.at <= now else now
    call = _locked(channel, event, at)
    before, agent_before = call.state, call.agent_id
    _learn(call, event)
    rung = _ring(call, event) if event.event == "newCall" else []
    if event.event == "answer":
        _answer(call, event, at)
    elif event.event == "hangup":
        _hang_up(call, event, at)
    if _is_told(call, event):
        call_journal.hand_over(call)
    call.save()
    if rung or call.state != before or call.agent_id != agent_before:
        ringing.tell(call)
    if before in (Call.State.MISSED, Call.State.FORWARDED) and call.state == Call.State.ENDED:
        call_aftermath.answered_after_all(call)
    elif before == Call.State.FORWARDED and call.state == Call.State.MISSED:
        call_aftermath.missed_after_all(call)
    return call


def _is_told(call: Call, event: Event) -> bool:
    """All is known that its message says. A forwarded call waits for the call that it becomes."""
    if call.is_live or call.logged_at or call.state == Call.State.FORWARDED:
        return False
    return bool(call.from_sent or call.to_sent) or event.event == "newCall"


def _locked(channel: Channel, event: Event, at: datetime) -> Call:
    """The row of this call, made where there is none."""
    queue = call_people.queue_of(channel.settings, channel.queue, event.to, event.queue)
    begun = {"direction": event.direction or Call.Direction.IN, "started_at": at, "queue": queue}
    rows = Call.objects.select_for_update(of=("self",), no_key=True).select_related("contact", "agent", "queue")
    found, _made = Call.objects.get_or_create(channel=channel, call_id=event.call_id, defaults=begun)
    if event.event in ("answer", "hangup") and not found.is_live:
        call_aftermath.lock_ticket(found.pk)
    call = rows.get(pk=found.pk)
    call.channel = channel
    if _is_another(call, event) or call.call_id != event.call_id:
        if call.call_id == event.call_id:  # else a parallel report of the new call was sooner
            call.call_id = f"{call.call_id[:ID_KEPT]}#{call.pk}"
            call.save(update_fields=["call_id"])
        anew, _made = Call.objects.get_or_create(channel=channel, call_id=event.call_id, defaults=begun)
        call = rows.get(pk=anew.pk)
        call.channel = channel
    return call


def _is_another(call: Call, event: Event) -> bool:
    """It begins with somebody else after the end of this one: the telephone system counts from the beginning again."""
    other = event.from_ if event.direction == Call.Direction.IN else event.to
    if event.event != "newCall" or call.is_live or not other or not call.other_sent:
        return False
    region = call_people.region_of(call.channel)
    return (numbers.one(other, region) or other) != (numbers.one(call.other_sent, region) or call.other_sent)


def _learn(call: Call, event: Event) -> None:
    """Fill in what was not known before. Nothing that is known is replaced: the first event is the best witness."""
    if not call.from_sent and not call.to_sent and (event.from_ or event.to):
        call.direction = event.direction or call.direction
        call.queue = call_people.queue_of(call.channel.settings, call.channel.queue, event.to, event.queue)
    call.from_sent = call.from_sent or event.from_
    call.to_sent = call.to_sent or event.to
    call.queue_sent = call.queue_sent or event.queue
    region = call_people.region_of(call.channel)
    ours = call.to_sent if call.direction == Call.Direction.IN else call.from_sent
    call.line = call.line or numbers.one(ours, region) or ours
    if not call.number and call.contact_id is None and call.other_sent:
        call.number, call.contact = call_people.caller(call.other_sent, region)
    if event.recording and recording_allowed(event.recording, call.channel.settings):
        call.recording_url = call.recording_url or event.recording


def _ring(call: Call, event: Event) -> list[User]:
    """Whose screens show it. The telephone system's word counts, else whoever is on duty in the queue."""
    if not call.is_live or call.rang.exists():
        return []
    out = call.direction == Call.Direction.OUT
    found = call_people.colleagues(call.channel, [*event.users, event.from_ if out else event.to])
    if out:
        call.agent = call.agent or (found[0] if found else None)
    elif not found:
        found = call_people.on_duty(call.queue)
    call.rang.add(*found)
    return found


def _answer(call: Call, event: Event, at: datetime) -> None:
    who = call_people.colleagues(call.channel, [event.answering, *event.users])
    if call.state == Call.State.RINGING:
        call.state, call.answered_at = Call.State.TALKING, max(at, call.started_at)
        call.wait_seconds = _seconds(call.started_at, call.answered_at)
        if VOICEMAIL & {name.lower() for name in (event.answering, *event.users)}:
            call.cause = "voicemail"
        # Who talked, and not who rang: of several names none is proved.
        if _is_named(event, who):
            call.agent = call.agent or who[0]
            _note_answer(call, call.agent, at)
    elif call.state == Call.State.TALKING and call.agent and _is_put_through(call, event, who, at):
        call.rang.add(call.agent, who[0])  # who has it no more is told so too
        call.agent = who[0]
        _note_answer(call, who[0], at)
    elif call.state in (Call.State.MISSED, Call.State.UNREACHED, Call.State.FORWARDED):
        call.state = Call.State.ENDED  # the answer was late on its way: when it happened nobody knows
        call.agent = call.agent or (who[0] if who else None)
    elif call.agent_id is None and who:
        call.agent = who[0]
        _note_answer(call, who[0], at)


def _is_named(event: Event, who: list[User]) -> bool:
    """It says beyond doubt who talks now."""
    return bool(who) and (len(who) == 1 or bool(event.answering))


def _is_put_through(call: Call, event: Event, who: list[User], at: datetime) -> bool:
    """Somebody else has it now. Without a time of its own, an answer of who has had it before is only told again."""
    if call.direction != Call.Direction.IN or not _is_named(event, who):
        return False
    if event.at:
        return not call.answers or at > datetime.fromisoformat(call.answers[-1][1])
    return all(user != who[0].pk for user, _at in call.answers)


def _note_answer(call: Call, who: User, at: datetime) -> None:
    call.answers = [*call.answers, [who.pk, at.isoformat()]]


def _hang_up(call: Call, event: Event, at: datetime) -> None:
    if call.state == Call.State.FORWARDED and event.cause not in ("", FORWARDED):
        call.state, call.cause = Call.State.MISSED, event.cause  # it kept its name, and ended a second time
        return
    if not call.is_live:
        call.cause = call.cause or event.cause
        return
    if call.agent_id is None and event.answering and call.state == Call.State.TALKING:
        call.agent = next(iter(call_people.colleagues(call.channel, [event.answering])), None)
    _end(call, event.cause, at)


def _end(call: Call, cause: str, at: datetime) -> None:
    call.ended_at = max(at, call.answered_at or call.started_at)
    voicemail = call.cause == "voicemail"
    if call.state == Call.State.TALKING:
        call.state = Call.State.VOICEMAIL if voicemail else Call.State.ENDED
        call.talk_seconds = _seconds(call.answered_at, call.ended_at)
    else:
        call.wait_seconds = _seconds(call.started_at, call.ended_at)
        missed = Call.State.FORWARDED if cause == FORWARDED else Call.State.MISSED
        call.state = missed if call.direction == Call.Direction.IN else Call.State.UNREACHED
    call.cause = call.cause or cause


def _seconds(start: datetime | None, end: datetime) -> int | None:
    if start is None or end - start > LONGEST:
        return None
    return max(0, int((end - start).total_seconds()))


def end_forgotten(limit: int = 100) -> int:
    """Calls whose end was never told are over too, and ends without a beginning are logged as they are; how many.

    A bridge that is restarted during a call never tells how it ended.
    """
    now = timezone.now()
    ringing_long = Call.objects.filter(state=Call.State.RINGING, started_at__lt=now - RINGS_MOST)
    talking_long = Call.objects.filter(state=Call.State.TALKING, started_at__lt=now - LONGEST)
    blind = Call.objects.filter(logged_at=None, ended_at__lt=now - BLIND)
    keys = [key for rows in (ringing_long, talking_long, blind) for key in rows.values_list("pk", flat=True)[:limit]]
    for key in keys:
        _end_forgotten(key, now)
    return len(keys)


@transaction.atomic
def _end_forgotten(key: int, now: datetime) -> None:
    rows = Call.objects.select_for_update(of=("self",), no_key=True).select_related("channel__queue", "contact")
    call = rows.get(pk=key)
    if call.is_live:
        _end(call, "lost", now)
        # Nobody knows when it ended, so nobody knows how long it took.
        call.talk_seconds = call.wait_seconds = None
        ringing.tell(call)
    if call.state == Call.State.FORWARDED and _goes_on(call):
        call.logged_at = now
    elif call.logged_at is None:
        call_journal.hand_over(call)
    call.save()


def _goes_on(call: Call) -> bool:
    """Another call of the same caller began when this one was forwarded."""
    if not call.number or call.ended_at is None:
        return False
    near = (call.started_at, call.ended_at + BLIND)
    others = Call.objects.filter(channel=call.channel, number=call.number, direction=Call.Direction.IN)
    return others.filter(started_at__range=near).exclude(pk=call.pk).exists()
