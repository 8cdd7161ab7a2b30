"""Text on sheets of paper, in Chinese and Latin: lines are broken where each script allows it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFont

WIDTH = 1728
"""Dots of a fax line (T.4): 215 mm."""
DOWN = 297 / 215
HEIGHT = round(WIDTH * DOWN)
"""Of an A4 sheet whose dots are square; it is squeezed to the lines of a fax at the end."""
MARGIN, TOP, BOTTOM = 150, 140, 170
BODY, HEADING, SMALL = 34, 66, 26
LEADING = 1.45
LABEL = 330
"""Where the values of a cover's table begin."""
MOST_SIGNS = 200_000
_ROW = re.compile(r"([^:：\n]{1,40})[:：]\s*(\S.*)")
_WORDS = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]|[^\s\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+|\s+"
)
_NEVER_FIRST = "，。、；：？！）》」』】〕…,.;:?!)]}％%"


class Sheets:
    """Sheets that are written from the top of the first to wherever the text ends."""

    def __init__(self, font: str, form_of_signs: int, most: int) -> None:
        """`form_of_signs` chooses the Chinese, Japanese or Korean form of a sign in the font's collection."""
        self._most = most
        self._fonts = {
            size: ImageFont.truetype(font, size, index=form_of_signs, layout_engine=ImageFont.Layout.BASIC)
            for size in (BODY, HEADING, SMALL)
        }
        self._sheets: list[Image.Image] = []
        self._y = HEIGHT

    def cover(self, text: str) -> None:
        """A line that begins with `# ` is a heading, `Label: value` a row of a table, `---` a rule across the page."""
        for line in text.splitlines():
            if line.startswith("# "):
                self._lines(line[2:], HEADING, MARGIN)
                self._y += 20
            elif line.strip("- ") == "" and line.startswith("---"):
                self._rule()
            elif row := _ROW.fullmatch(line.strip()):
                self._room(BODY)
                self._draw.text((MARGIN, self._y), row[1].strip(), font=self._fonts[BODY], fill=0)
                self._lines(row[2], BODY, MARGIN + LABEL)
            else:
                self._lines(line, BODY, MARGIN)
        self._rule()

    def write(self, text: str) -> None:
        """Paragraphs of plain text."""
        for line in text[:MOST_SIGNS].rstrip().expandtabs(4).splitlines():
            if len(self._sheets) > self._most:
                return
            self._lines(line, BODY, MARGIN)

    def done(self, sheets: int, pages: int) -> list[Image.Image]:
        """The sheets, numbered `1 / pages` and so on below when `pages` is known."""
        for number, sheet in enumerate(self._sheets, 1):
            if pages > 1 and sheets:
                font, text = self._fonts[SMALL], f"{number} / {pages}"
                place = (WIDTH - MARGIN - font.getlength(text), HEIGHT - BOTTOM + 70)
                ImageDraw.Draw(sheet).text(place, text, font=font, fill=0)
        return self._sheets

    def _lines(self, text: str, size: int, left: int) -> None:
        for line in _broken(text, self._fonts[size], WIDTH - MARGIN - left):
            self._room(size)
            self._draw.text((left, self._y), line, font=self._fonts[size], fill=0)
            self._y += round(size * LEADING)

    def _rule(self) -> None:
        self._room(BODY)
        self._draw.line((MARGIN, self._y + 16, WIDTH - MARGIN, self._y + 16), fill=0, width=3)
        self._y += 44

    def _room(self, size: int) -> None:
        if self._y + size * LEADING > HEIGHT - BOTTOM:
            self._sheets.append(Image.new("L", (WIDTH, HEIGHT), 255))
            self._draw = ImageDraw.Draw(self._sheets[-1])
            self._y = TOP


def _broken(text: str, font: ImageFont.FreeTypeFont, room: int) -> Iterator[str]:
    """The text in lines that fit: Latin between words, Chinese between any two signs but before a closing one."""
    line, length = "", 0.0
    for word in _WORDS.findall(text):
        wide = font.getlength(word)
        while wide > room:  # a word longer than a line is cut
            fits = max(1, next(n for n in range(len(word), 0, -1) if font.getlength(word[:n]) <= room or n == 1))
            if line.strip():
                yield line.rstrip()
            yield word[:fits]
            line, length, word = "", 0.0, word[fits:]
            wide = font.getlength(word)
        if length + wide > room and line and word not in _NEVER_FIRST:
            yield line.rstrip()
            line, length = "", 0.0
            if word.isspace():
                continue
        line, length = line + word, length + wide
    yield line.rstrip()
