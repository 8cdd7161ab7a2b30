"""Plays the stories: mails come in, colleagues answer, tickets end, each at its time."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from crm.organisation.models import User
from crm.service import clocks, services
from crm.service.models import Ticket
from inbox.channels import sink
from inbox.channels.base import Outcome, Receipt
from inbox.channels.email import tokens
from inbox.channels.webform.adapter import pack
from inbox.models import Delivery, Message, RawMessage
from inbox.services import merging, outcomes, replies, seeing, sending
from inbox.services.accept import accept
from inbox.services.processing import process
from portal.demo import mails
from portal.demo.clock import Clock
from portal.demo.files import file
from portal.demo.office import Office
from portal.demo.people import People, Person

GAPS = {"in": (50, 320), "out": (15, 130), "note": (4, 25)}
"""Minutes that pass before the next turn, by who speaks."""
ENDS = {"closed", "resolved", "pending", "snoozed"}
Step = tuple[datetime, Callable[[], object]]


class StoryBroken(Exception):
    """A mail of a story did not become what the story needs."""


@dataclass(slots=True)
class Story:
    """One conversation as the TOML files give it."""

    data: dict[str, Any]
    person: Person
    agent: User
    ticket_id: int = 0
    last_out: Message | None = None
    sent: list[Delivery] = field(default_factory=list)

    @property
    def sender(self) -> tuple[str, str]:
        """Name and address that this conversation comes from."""
        return self.data.get("name", self.person.name), self.data.get("mail", self.person.mails[0])

    @property
    def ticket(self) -> Ticket:
        """The ticket as it is now."""
        return Ticket.objects.select_related("contact", "queue").get(pk=self.ticket_id)


def read_stories(people: People) -> list[Story]:
    """All conversations, long and short."""
    folder = Path(__file__).with_name("stories")
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"))
        found += table.get("story", [])
        for key, days, at, subject, question, answer, end in table.get("rows", []):
            turns = [["in", question], *([["out", answer]] if answer else [])]
            found.append({"from": key, "days": days, "at": at, "subject": subject, "turns": turns, "end": end})
    agents = [people.staff["lena"], people.staff["tom"], people.staff["priya"]]
    asia = [people.staff["mei"], people.staff["chen"]]
    stories = []
    for number, data in enumerate(found):
        person = people.customers[data["from"] if data["from"] in people.customers else _owner(people, data["mail"])]
        team = asia if person.language.startswith(("zh", "ja")) else agents
        agent = people.staff[data["agent"]] if "agent" in data else team[number % len(team)]
        stories.append(Story(data, person, agent))
    return stories


def _owner(people: People, address: str) -> str:
    return next(key for key, person in people.customers.items() if address in person.mails)


class Player:
    """Plays stories against the services."""

    def __init__(self, office: Office, people: People, clock: Clock, now: datetime) -> None:
        self.office, self.people, self.clock, self.now = office, people, clock, now

    def play(self, stories: list[Story], others: Sequence[Step] = ()) -> None:
        """Everything in the order of time, over all stories and what else happened."""
        steps: list[Step] = [*others, *(step for story in stories for step in self._steps(story))]
        steps.append((self.now - timedelta(minutes=35), lambda: self._stranger(stories)))
        steps.append((self.now - timedelta(minutes=20), lambda: self._merge(stories)))
        # What the clock does is done in its time: nothing of long ago shall happen when the demo is first served.
        days = (self.now - min(at for at, _step in steps)).days
        steps += [(self.now - timedelta(days=ago, minutes=5), clocks.run_idle_rules) for ago in range(days + 1)]
        for at, step in sorted(steps, key=lambda pair: pair[0]):
            self.clock.set(at)
            step()
            self._deliver()

    def _steps(self, story: Story) -> Iterator[Step]:
        """The turns of a story with their times; nothing is later than now."""
        data, chance = story.data, random.Random(story.data["subject"])
        hour, _, minute = data["at"].partition(":")
        at = datetime.combine(
            self.now.date() - timedelta(days=data["days"]), time(int(hour), int(minute)), self.now.tzinfo
        )
        moments: list[datetime] = []
        for kind, _text in data["turns"]:
            if moments:
                at += timedelta(minutes=chance.randint(*GAPS[kind]))
            moments.append(at)
        end = at + timedelta(minutes=chance.randint(5, 60))
        late = max(end - self.now + timedelta(minutes=chance.randint(2, 30)), timedelta(0))
        for (kind, text), moment in zip(data["turns"], moments, strict=True):
            yield moment - late, self._turn(story, kind, text.strip())
        if data["end"] in ENDS or data.get("priority") or data.get("tags") or data.get("bounce"):
            yield end - late, lambda: self._end(story)
        if rating := data.get("rating"):
            yield end - late + timedelta(minutes=3), lambda: self._rate(story, *rating)
        if data["end"] == "closed":
            closing = min(end + timedelta(days=3), self.now - timedelta(minutes=1))
            yield closing, lambda: self._close(story)

    def _turn(self, story: Story, kind: str, text: str) -> Callable[[], None]:
        deed = {"in": self._incoming, "out": self._answer, "note": self._note}[kind]
        return lambda: deed(story, text)

    def _incoming(self, story: Story, text: str) -> None:
        data, first = story.data, not story.ticket_id
        files = data.get("files", []) if first else []
        name, address = story.sender
        if first and data.get("via") == "form":
            content = pack(name=name, email=address, subject=data["subject"], text=text, files=[file(f) for f in files])
            raw = accept(self.office.form, content)
        else:
            content = mails.mail(
                sender=story.sender,
                to=self.office.mailbox.address,
                subject=data["subject"],
                text=text,
                at=self.clock(),
                language=story.person.language,
                answer_to=self._quoted(story),
                files=files,
            )
            raw = accept(self.office.mailbox, content)
        raw = process(raw)
        if raw.ticket_id is None or (not first and raw.ticket_id != story.ticket_id):
            raise StoryBroken(f"{data['subject']}: {raw.outcome or raw.state} {raw.reason} {raw.error}")
        story.ticket_id = raw.ticket_id

    def _quoted(self, story: Story) -> mails.Quoted | None:
        last = story.last_out
        if last is None:
            return None
        back = tokens.reply_address(self.office.mailbox.address, story.ticket_id)
        return mails.Quoted(last.mail_id, last.text, last.at, back)

    def _answer(self, story: Story, text: str) -> None:
        ticket = story.ticket
        if ticket.assignee_id != story.agent.pk:
            ticket = services.assign(ticket, story.agent, by=story.agent)
        files = story.data.pop("files_out", [])
        story.last_out = replies.reply(
            ticket, author=story.agent, text=text, attached=[file(f) for f in files], seen=ticket.sequence
        )
        seeing.mark_seen(story.agent, ticket, story.last_out.seq)

    def _note(self, story: Story, text: str) -> None:
        named = [user for user in self.people.staff.values() if f"@{user.name.split()[0]}" in text]
        replies.add_note(story.ticket, author=story.agent, text=text, mentions=named)

    def _end(self, story: Story) -> None:
        data, ticket, agent = story.data, story.ticket, story.agent
        if (priority := data.get("priority")) and ticket.priority != priority:
            services.set_priority(ticket, priority, by=agent)
        if tags := data.get("tags"):
            services.tag(ticket, add=tags, by=agent)
        match data["end"]:
            case "closed" | "resolved":
                services.set_status(ticket, Ticket.Status.RESOLVED, by=agent)
            case "pending":
                services.set_status(ticket, Ticket.Status.PENDING, by=agent)
            case "snoozed":
                services.snooze(ticket, self.now + timedelta(days=data["snooze"]), by=agent)
        if data.get("bounce"):
            self._bounce(story)

    @staticmethod
    def _close(story: Story) -> None:
        services.close(story.ticket, by=None)

    def _rate(self, story: Story, score: int, comment: str) -> None:
        services.rate(story.ticket, story.person.contact, score, comment)

    def _bounce(self, story: Story) -> None:
        """The customer's server does not know the address any more: our answer comes back."""
        if story.last_out is None:
            raise StoryBroken(f"{story.data['subject']}: nothing was sent that could bounce")
        delivery = story.last_out.deliveries.get()
        report = mails.failure_report(
            to=tokens.return_path(self.office.mailbox.address, delivery.mail_id),
            recipient=delivery.recipient,
            mail_id=delivery.mail_id,
            at=self.clock(),
        )
        raw = process(accept(self.office.mailbox, report))
        if raw.outcome != RawMessage.Outcome.REPORT:
            raise StoryBroken(f"the bounce became {raw.outcome or raw.state}: {raw.reason} {raw.error}")

    def _stranger(self, stories: list[Story]) -> None:
        """Somebody who takes no part names the number of another's ticket: a new ticket, linked and flagged."""
        theirs = next(story for story in stories if story.data["from"] == "olivia" and story.data["days"] == 1)
        content = mails.mail(
            sender=("O. Bennett", "olivia.bennett77@letters.example"),
            to=self.office.mailbox.address,
            subject=f"Re: {theirs.data['subject']} [Ticket#{theirs.ticket.number}]",
            text="Hi, writing from my private address as our mail is down. Please call me on my mobile instead.",
            at=self.clock(),
            language="en",
        )
        process(accept(self.office.mailbox, content))

    def _merge(self, stories: list[Story]) -> None:
        """Two mails of one person about one thing become one ticket."""
        first, second = (
            next(story for story in stories if story.data["subject"] == subject)
            for subject in ("Group head gasket leaking, need two", "Photo for the gasket")
        )
        merging.merge(second.ticket, first.ticket, by=self.people.staff["lena"])

    @staticmethod
    def _deliver() -> None:
        """Hand over what waits, as the sending loop does: as files, when the try-out has an outbox."""
        for row in sending.claim(50):
            prepared = sending.prepare(row)
            if isinstance(prepared, Receipt):
                raise StoryBroken(f"delivery {row.pk} cannot be made: {prepared.response}")
            sending.mark_sending(row)
            if settings.MAIL_SINK is not None:
                receipt = sink.write(prepared[1])
            else:
                receipt = Receipt(Outcome.SENT, 250, "the past of the demo company")
            outcomes.record(row, receipt)
