"""How fine the lines of a page are, told by the shape of its signs, where nothing else tells.

Letters of every script are about as high as wide, or half as high again. On a coarse page, whose dots are twice as high
as wide, they have half as many lines, and on a finest one twice as many. Runs in the limited process of `worker` only.
"""

from __future__ import annotations

from PIL import Image

COARSE, FINE, FINEST = 98.0, 196.0, 391.0
"""Lines an inch (T.4)."""
LOOKED_AT = 1500
"""Lines from the top: more than enough signs."""
NARROWEST, WIDEST, LOWEST = 8, 80, 4
"""Dots of what may be a sign, and not dust, a rule or a frame."""
FEWEST = 20
FLAT, TALL = 0.88, 1.75
"""Height by width of the sign in the middle: measured between 0.5 and 0.8, 1.0 and 1.55, 2.0 and 3.1."""


def lines_an_inch(page: Image.Image) -> float:
    """The resolution from top to bottom of a page in black on white; `FINE` where it holds too few signs to tell."""
    shapes = sorted(
        (bottom - top) / (right - left)
        for left, top, right, bottom in _boxes(page.crop((0, 0, page.width, min(page.height, LOOKED_AT))))
        if NARROWEST <= right - left <= WIDEST and bottom - top >= LOWEST
    )
    if len(shapes) < FEWEST:
        return FINE
    middle = shapes[len(shapes) // 2]
    return COARSE if middle < FLAT else FINEST if middle > TALL else FINE


def _boxes(page: Image.Image) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom of all that hangs together in black."""
    dots, width = page.convert("L").tobytes(), page.width
    above: list[tuple[int, int, int]] = []
    root: list[int] = []
    boxes: list[tuple[int, int, int, int]] = []
    for y in range(page.height):
        row, runs = dots[y * width : (y + 1) * width], []
        start = row.find(b"\0")
        while start >= 0:
            end = row.find(b"\xff", start)
            end = width if end < 0 else end
            mark = len(root)
            root.append(mark)
            boxes.append((start, y, end, y + 1))
            for left, right, other in above:
                if left <= end and right >= start:
                    _join(root, boxes, mark, other)
            runs.append((start, end, mark))
            start = row.find(b"\0", end)
        above = runs
    return [box for mark, box in enumerate(boxes) if root[mark] == mark]


def _join(root: list[int], boxes: list[tuple[int, int, int, int]], one: int, other: int) -> None:
    one, other = _first(root, one), _first(root, other)
    if one != other:
        root[one] = other
        a, b = boxes[one], boxes[other]
        boxes[other] = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))


def _first(root: list[int], mark: int) -> int:
    while root[mark] != mark:
        root[mark] = root[root[mark]]
        mark = root[mark]
    return mark
