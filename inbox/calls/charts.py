"""Charts as SVG that the page holds itself, so that they take its colours, print, and need no script."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import pygal
from django.utils.safestring import SafeString
from pygal.style import Style

from inbox.calls.figures import Figures

# pygal hooks itself into every import, to find plugins that nobody has here, in a way that Python 3.12 dropped.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]

_OWN_LOOK = re.compile(r"<style[^>]*>.*?</style>|<script[^>]*>.*?</script>|<script[^>]*/>| style=\"[^\"]*\"", re.DOTALL)
"""Our style sheet draws them; the policy of pages forbids what pygal brings along."""
WIDTH, HEIGHT = 420, 200
"""Units of the drawing, which is as wide as its place: about 300 dots on a telephone, 460 beside another."""
LABELS_MOST = 5


def stacked(rows: Sequence[Figures], lines: Sequence[tuple[str, str]], *, title: str) -> SafeString:
    """Bars of several counts one above the other; `lines` are (attribute of Figures, what it is called)."""
    scale = _scale(max([0, *(sum(getattr(row, name) for name, _words in lines) for row in rows)]))
    chart = pygal.StackedBar(
        style=Style(font_family="inherit", background="transparent", plot_background="transparent"),
        js=[],
        disable_xml_declaration=True,
        classes=("calls-chart__svg",),
        width=WIDTH,
        height=HEIGHT,
        show_legend=False,
        show_y_guides=True,
        spacing=8,
        margin=6,
        rounded_bars=0,
        value_formatter=lambda value: f"{value or 0:.0f}",
        print_values=False,
        show_minor_x_labels=False,
        truncate_label=14,
        x_labels_major_every=max(1, -(-len(rows) // LABELS_MOST)),
        y_labels=scale,
        range=(0, scale[-1]),
    )
    chart.x_labels = [row.label for row in rows]
    for name, words in lines:
        chart.add(words, [getattr(row, name) for row in rows])
    drawn = _OWN_LOOK.sub("", chart.render(is_unicode=True))
    # Every label in it went through pygal's XML writer, which escapes.
    named = drawn.replace("<svg ", f'<svg role="img" aria-label="{_attribute(title)}" ', 1)
    return SafeString(named)


def _scale(most: int) -> list[int]:
    """Whole numbers from 0 to at least `most`, two to six of them, in steps that people count in."""
    most = max(most, 1)
    step = next(n * 10**power for power in range(12) for n in (1, 2, 5) if n * 10**power * 5 >= most)
    return list(range(0, most + step, step)) if most % step else list(range(0, most + 1, step))


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
