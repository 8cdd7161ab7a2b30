"""The channel layer without Redis: the same promises as the library's, at the price of the group and not of the house."""

from __future__ import annotations

import time

import pytest

from core.memory_layer import CLEAN_SECONDS, MemoryLayer


async def _members(layer: MemoryLayer, count: int, group: str = "room") -> list[str]:
    names = [await layer.new_channel() for _ in range(count)]
    for name in names:
        await layer.group_add(group, name)
    return names


async def test_everybody_in_the_group_hears_a_copy_of_his_own() -> None:
    layer = MemoryLayer()
    first, second = await _members(layer, 2)
    said = {"type": "note", "text": "hello"}
    await layer.group_send("room", said)
    heard = await layer.receive(first)
    heard["text"] = "changed"
    assert await layer.receive(second) == said == {"type": "note", "text": "hello"}


async def test_who_left_hears_nothing() -> None:
    layer = MemoryLayer()
    stays, leaves = await _members(layer, 2)
    await layer.group_discard("room", leaves)
    await layer.group_send("room", {"type": "note"})
    assert set(layer.channels) == {stays}


async def test_one_who_does_not_listen_holds_nobody_up() -> None:
    layer = MemoryLayer(capacity=3)
    slow, quick = await _members(layer, 2)
    for number in range(5):
        await layer.group_send("room", {"type": "note", "number": number})
        if number < 4:
            assert (await layer.receive(quick))["number"] == number
    assert [(await layer.receive(slow))["number"] for _ in range(3)] == [0, 1, 2]


async def test_what_expired_is_thrown_away_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = MemoryLayer(expiry=1)
    (gone,) = await _members(layer, 1)
    await layer.group_send("room", {"type": "note"})
    later, clock = time.time() + 2, time.monotonic() + CLEAN_SECONDS
    monkeypatch.setattr(time, "time", lambda: later)
    await layer.group_send("other", {"type": "note"})
    assert gone in layer.channels
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    await layer.group_send("other", {"type": "note"})
    assert gone not in layer.channels
    assert gone not in layer.groups["room"]
