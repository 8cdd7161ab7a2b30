"""The threads that pages are served in."""

from __future__ import annotations

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async

from portal import handler

pytestmark = pytest.mark.once

SCOPE = {"type": "http"}


class Pages(handler.PagesHandler):
    """Notes the thread that serves each request, which takes until `go` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []
        self.go = threading.Event()

    async def handle(self, scope, receive, send) -> None:
        def work() -> None:
            self.threads.append(threading.get_ident())
            assert self.go.wait(20)

        await sync_to_async(work)()


async def _until(true) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


async def test_the_next_page_gets_the_same_thread():
    pages = Pages()
    pages.go.set()
    for _ in range(3):
        await pages(SCOPE, None, None)
        await _until(lambda: len(pages._idle) == 1)
    assert len(pages.threads) == 3
    assert len(set(pages.threads)) == 1


async def test_a_crowd_waits_for_nobody_and_few_threads_stay():
    pages = Pages()
    crowd = [asyncio.create_task(pages(SCOPE, None, None)) for _ in range(3 * handler.KEPT)]
    await _until(lambda: len(pages.threads) == len(crowd))
    assert len(set(pages.threads)) == len(crowd)
    pages.go.set()
    await asyncio.gather(*crowd)
    await _until(lambda: len(pages._idle) == handler.KEPT)


async def test_a_page_whose_reader_left_keeps_its_thread_until_it_is_done():
    pages = Pages()
    left = asyncio.create_task(pages(SCOPE, None, None))
    await _until(lambda: pages.threads)
    left.cancel()
    next_one = asyncio.create_task(pages(SCOPE, None, None))
    await _until(lambda: len(pages.threads) == 2)
    assert len(set(pages.threads)) == 2
    pages.go.set()
    await next_one
    with pytest.raises(asyncio.CancelledError):
        await left
