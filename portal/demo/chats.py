"""Talks in the chat of the demo company's web site: past ones, and some that go on now."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from crm.organisation.models import User
from crm.service import services
from crm.service.models import Ticket
from inbox.models import Channel, Conversation, Visitor
from inbox.services import chats, fetching, replies, utterances, visitors
from portal.demo.people import DOMAIN

Step = tuple[datetime, Callable[[], None]]
SITE = f"https://www.{DOMAIN}"
SECONDS = {"in": (18, 75), "out": (20, 90)}
"""That pass before the next turn, by who speaks."""
STAYS = timedelta(days=1)
"""Visitors of talks that go on stay so long, so that whoever tries it out finds them."""


def set_up(queue: Any) -> Channel:
    """The chat “Website”, which may stand on the site that the try-out serves."""
    return Channel.objects.create(
        name="Website",
        kind="chat",
        display_name="Halden",
        queue=queue,
        settings={
            "key": "halden-website",
            "origins": "\n".join([SITE, settings.BASE_URL]),
            "colour": "#0b5cad",
            "position": "right",
            "theme": "auto",
            "files": True,
            "rating": True,
            "transcript": True,
            "title_en": "Halden Service",
            "title_zh_hans": "海尔登客服",
            "title_zh_hant": "海爾登客服",
            "welcome_en": "Hello! Ask us about machines, orders and service.",
            "welcome_zh_hans": "您好！关于设备、订单和服务，欢迎咨询。",
            "welcome_zh_hant": "您好！關於設備、訂單和服務，歡迎詢問。",
            "launcher_en": "Chat with us",
            "launcher_zh_hans": "在线咨询",
            "launcher_zh_hant": "線上諮詢",
        },
    )


def steps(channel: Channel, staff: dict[str, User], now: datetime) -> list[Step]:
    """All turns of all talks with their times."""
    table = tomllib.loads((Path(__file__).with_name("stories") / "chats.toml").read_text("utf-8"))
    return [
        step for data in table["chat"] for step in _Talk(channel, data, staff.get(data.get("agent", ""))).steps(now)
    ]


class _Talk:
    """One talk, played against the services that the real one goes through."""

    def __init__(self, channel: Channel, data: dict[str, Any], agent: User | None) -> None:
        self.channel, self.data, self.agent = channel, data, agent
        self.visitor = self.said = 0

    def steps(self, now: datetime) -> list[Step]:
        """Its turns, one after the other; with `minutes` it began so long ago and goes on."""
        chance, open_for = random.Random(self.data["name"]), self.data.get("minutes")
        if open_for:
            at = now - timedelta(minutes=open_for)
        else:
            hour, _, minute = self.data["at"].partition(":")
            day = now.date() - timedelta(days=self.data["days"])
            at = datetime.combine(day, time(int(hour), int(minute)), now.tzinfo)
        found: list[Step] = [(at, self._enter)]
        for who, text in self.data["turns"]:
            at += timedelta(seconds=chance.randint(*SECONDS[who]))
            found.append((at, lambda who=who, text=text: self._turn(who, text)))  # type: ignore[misc]
        found.append((now, lambda: self._stay(now)) if open_for else (at + timedelta(seconds=40), self._end))
        return found

    def _enter(self) -> None:
        page = visitors.Page(SITE + self.data["page"], self.data["title"], self.data["referrer"])
        visitor, _token = visitors.enter(self.channel, "", page, locale=self.data["locale"])
        visitors.tell(visitor, name=self.data["name"], email=self.data.get("email", ""))
        self.visitor = visitor.pk

    @property
    def talk(self) -> Conversation:
        return Conversation.objects.select_related("ticket__contact", "visitor").get(visitor=self.visitor)

    def _turn(self, who: str, text: str) -> None:
        visitors.seen_now([self.visitor])
        if who == "in":
            self.said += 1
            utterances.say(utterances.Utterance(self.channel, self.visitor, f"demo-turn-{self.said}", text))
            return
        ticket = self.talk.ticket
        assert self.agent is not None  # noqa: S101 - who answers has a name in the story
        if ticket.assignee_id != self.agent.pk:
            chats.take_over(ticket, self.agent)
        replies.reply(ticket, author=self.agent, text=text, channel=self.channel, to=self.talk.visitor.address)
        fetching.seen(self.talk, Ticket.objects.get(pk=ticket.pk).sequence)

    def _stay(self, now: datetime) -> None:
        Visitor.objects.filter(pk=self.visitor).update(seen_at=now + STAYS)

    def _end(self) -> None:
        ticket = chats.end(self.talk.ticket, self.agent)
        if score := self.data.get("score"):
            services.rate(ticket, self.talk.ticket.contact, score, self.data.get("comment", ""))
