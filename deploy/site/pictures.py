"""`python deploy/site/pictures.py` draws the pictures of the concepts, as SVG, into docs/images.

Their text can be searched and read aloud, and they have a light and a dark dress.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

IMAGES = Path(__file__).parents[2] / "docs" / "images"
_STYLE = """
  text { font: 15px system-ui, sans-serif; fill: #1b2a3a; text-anchor: middle }
  .small { font-size: 12.5px; fill: #4a5b6c }
  .left { text-anchor: start }
  .box { fill: #eef3fb; stroke: #4a72b0; stroke-width: 1.5 }
  .store { fill: #fdf3df; stroke: #b98a2c }
  .out { fill: #e9f6ec; stroke: #3c8b53 }
  .no { fill: #fbeaea; stroke: #b04a4a }
  .line { fill: none; stroke: #5b6b7b; stroke-width: 1.8 }
  .faint { stroke-dasharray: 4 4 }
  .dot { fill: #4a72b0 }
  .head { fill: #5b6b7b }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf5 } .small { fill: #a9b8c8 }
    .box { fill: #22344d; stroke: #7ea3dc } .store { fill: #4a3c1c; stroke: #d8ae5a }
    .out { fill: #1f4029; stroke: #6cbf85 } .no { fill: #4b2626; stroke: #dc8a8a }
    .line { stroke: #9fb0c2 } .dot { fill: #7ea3dc } .head { fill: #9fb0c2 }
  }
"""


def svg(title: str, width: int, height: int, *parts: str) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            (
                '<defs><marker id="a" markerWidth="9" markerHeight="9" refX="7" refY="4"'
                ' orient="auto">'
                '<path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>'
            ),
            *parts,
            "</svg>\n",
        ]
    )


def box(x: float, y: float, width: float, name: str, detail: str = "", kind: str = "") -> str:
    """60 high; the name, and a smaller line under it."""
    middle = x + width / 2
    below = f'<text class="small" x="{middle:g}" y="{y + 46:g}">{escape(detail)}</text>'
    return (
        f'<rect class="box {kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="60" rx="8"/>'
        f'<text x="{middle:g}" y="{y + (27 if detail else 36):g}">{escape(name)}</text>'
        f"{below if detail else ''}"
    )


def arrow(x1: float, y1: float, x2: float, y2: float, kind: str = "") -> str:
    return f'<path class="line {kind}" d="M{x1:g} {y1:g} L{x2:g} {y2:g}" marker-end="url(#a)"/>'


def words(x: float, y: float, text: str, kind: str = "small") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def flow() -> str:
    senders = [("Players", "xAPI, cmi5, SCORM"), ("Webhooks", "signed JSON"), ("Kafka", "topics")]
    stages = [
        ("sources", "receive", ""),
        ("statements", "understand", ""),
        ("mapping", "decide", ""),
        ("store", "remember", "store"),
        ("delivery", "pace", "out"),
        ("platforms", "ask, read", "out"),
    ]
    parts: list[str] = []
    for number, (name, detail) in enumerate(senders):
        y = 20 + number * 80
        parts += [box(10, y, 140, name, detail), arrow(150, y + 30, 186, 130)]
    for number, (name, detail, kind) in enumerate(stages):
        x = 190 + number * 118
        parts.append(box(x, 100, 104, name, detail, kind))
        parts.append(arrow(x + 104, 130, x + 118, 130))
    parts += [
        box(898, 100, 130, "Platform", "GraphQL"),
        words(410, 196, "intake: answered after the store's commit"),
        words(774, 196, "delivery: one learner a request"),
        '<path class="line" d="M190 178 H 634"/><path class="line" d="M662 178 H 886"/>',
        arrow(963, 160, 963, 226),
        '<path class="line faint" d="M963 228 H 596 V 164" marker-end="url(#a)"/>',
        words(780, 246, "audit: read back what was delivered"),
    ]
    return svg("From players to the platform", 1040, 262, *parts)


def state() -> str:
    said = ["10 %", "20 %", "35 %", "35 % again", "30 %, late", "62 %"]
    parts: list[str] = []
    for number, text in enumerate(said):
        y = 30 + number * 34
        parts += [words(100, y + 5, f"Ana, topic 7: {text}"), arrow(178, y, 296, 115, "faint")]
    return svg(
        "Many statements, one value, one request",
        760,
        250,
        *parts,
        words(100, 240, "six statements"),
        box(300, 85, 190, "Ana, topic 7: 62 %", "desired state, version 4", "store"),
        words(395, 165, "the same again, and late and lower:"),
        words(395, 182, "nothing moves"),
        arrow(490, 115, 566, 115),
        box(570, 85, 180, "topic 7 = 62 %", "one request", "out"),
    )


def window() -> str:
    parts: list[str] = []
    for number in range(30):
        x = 60 + number * 22
        parts.append(f'<circle class="dot" cx="{x}" cy="90" r="5"/>')
    return svg(
        "What was sent in the last minute counts",
        760,
        210,
        *parts,
        arrow(40, 112, 735, 112),
        words(388, 134, "time; each dot is a request that was sent"),
        '<rect class="line" x="280" y="60" width="428" height="42" rx="6"/>',
        words(487, 48, "our log: the last 60 s, and a guard of 0.2 s"),
        '<rect class="line faint" x="170" y="68" width="390" height="26" rx="4"/>',
        words(
            300, 24, "the platform's window: it opens with somebody's request, and nobody is told"
        ),
        box(60, 148, 300, "the log is not full", "the next request goes now", "out"),
        box(400, 148, 300, "the log is full", "wait until its oldest entry is a minute old", "no"),
    )


def pictures() -> Iterator[tuple[Path, str]]:
    """Each file and what is in it."""
    for draw in (flow, state, window):
        yield IMAGES / f"{draw.__name__}.svg", draw()


if __name__ == "__main__":
    for path, content in pictures():
        path.write_text(content, encoding="utf-8")
