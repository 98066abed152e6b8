"""Reports as stacked bars, one panel per currency, one bar per line; the largest first."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from .report_schemas import major
from .reports import PARTS, Line, Report

#: Bars per panel; what is smaller is added up in one more.
MOST_BARS: Final = 20
LABELS: Final = dict(
    zip(PARTS, ("not due", "1–30 days", "31–60 days", "61–90 days", "over 90 days", "written off"), strict=True)
)
#: From calm to alarming, told apart without colour vision by their lightness; written off is grey.
_COLOURS: Final = dict(zip(PARTS, ("#4c8c7d", "#f2d16b", "#eba03f", "#d4612b", "#8e1f2f", "#9aa0a6"), strict=True))
#: The first that has a glyph draws it; Chinese names need one of the last ones.
_FONTS: Final = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Serif CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "AR PL UMing CN",
    "Droid Sans Fallback",
)
#: The library's settings and fonts are the process's; one picture at a time.
_LOCK: Final = threading.Lock()


def draw(report: Report, title: str, decimals: Mapping[str, int], form: str) -> bytes:
    """An SVG, whose labels stay text, or a PNG. Amounts are drawn in major units; the labels are exact."""
    # Half a second to import, and most calls of the service never draw.
    import matplotlib
    from matplotlib import font_manager
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = {currency: bars(report, currency) for currency in report.totals()}
    rows = sum(len(entries) for entries in panels.values()) or 1
    with _LOCK:
        installed = {font.name for font in font_manager.fontManager.ttflist}
        settings = {
            "svg.fonttype": "none",
            "svg.hashsalt": "chaincity",
            "font.family": [name for name in _FONTS if name in installed],
            "text.parse_math": False,
        }
        with matplotlib.rc_context(settings):  # type: ignore[arg-type]
            height = 1.7 + 0.9 * max(len(panels), 1) + 0.46 * rows
            figure = Figure(figsize=(11, height), layout="constrained")
            FigureCanvasAgg(figure)
            heights = [len(entries) + 1.2 for entries in panels.values()] or [1]
            axes = figure.subplots(max(len(panels), 1), 1, squeeze=False, height_ratios=heights)[:, 0]
            when = datetime.fromtimestamp(report.at.time, UTC).strftime("%Y-%m-%d %H:%M UTC")
            figure.suptitle(f"{title}\n{when} by chain time, block {report.at.block}", fontsize=11)
            for axis, (currency, entries) in zip(axes, panels.items(), strict=False):
                _panel(axis, currency, entries, decimals[currency])
            if panels:
                handles, labels = axes[0].get_legend_handles_labels()
                figure.legend(handles, labels, loc="outside lower center", ncols=len(PARTS), frameon=False, fontsize=9)
            else:
                axes[0].set_axis_off()
                axes[0].text(0.5, 0.5, "nothing is outstanding", ha="center", va="center")
            target = io.BytesIO()
            figure.savefig(target, format=form, dpi=130, metadata={"Date": None} if form == "svg" else None)
    return target.getvalue()


def bars(report: Report, currency: str) -> list[tuple[str, Line]]:
    """What one panel shows: a label and the sums of each bar."""
    found = [(label(report, key), line) for code, key, line in report.sorted_lines() if code == currency]
    if len(found) <= MOST_BARS:
        return found
    others = Line()
    for _, line in found[MOST_BARS:]:
        others.merge(line)
    return [*found[:MOST_BARS], (f"{len(found) - MOST_BARS} others", others)]


def label(report: Report, key: str | None) -> str:
    if key is None:
        return "no group"
    name = report.names.get(key) or report.codes.get(key)
    if name is None:
        return f"{key[:8]}…{key[-6:]}" if key.startswith("0x") and len(key) == 42 else key
    return name if len(name) <= 42 else name[:41] + "…"


def _panel(axis: Any, currency: str, entries: Sequence[tuple[str, Line]], decimals: int) -> None:
    # A float has 53 bits: exact enough for a bar's length, and the label beside it says the amount.
    scale = 10**decimals
    places = list(range(len(entries)))
    starts = [0.0] * len(entries)
    for part in PARTS:
        widths = [line.parts[part] / scale for _, line in entries]
        drawn = axis.barh(places, widths, left=starts, height=0.62, color=_COLOURS[part], label=LABELS[part])
        for place, patch in zip(places, drawn, strict=True):
            patch.set_gid(f"bar-{currency}-{place}-{part}")
        starts = [start + width for start, width in zip(starts, widths, strict=True)]
    longest = max(starts, default=0.0) or 1.0
    for place, (_, line) in zip(places, entries, strict=True):
        text = f"{_grouped(line.outstanding, decimals)}"
        if line.defaulted:
            text += f"   (defaulted {_grouped(line.defaulted, decimals)})"
        axis.text(starts[place] + longest * 0.008, place, text, va="center", fontsize=8.5)
    axis.set_yticks(places, [name for name, _ in entries], fontsize=9.5)
    axis.invert_yaxis()
    axis.set_xlim(0, longest * 1.55)
    axis.set_title(currency, loc="left", fontsize=10, fontweight="bold")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axis.tick_params(axis="x", labelsize=8.5)
    axis.grid(axis="x", color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.tick_params(axis="y", length=0)


def _grouped(amount: int, decimals: int) -> str:
    whole, _, rest = major(amount, decimals).partition(".")
    return f"{int(whole):,}" + (f".{rest}" if rest else "")
