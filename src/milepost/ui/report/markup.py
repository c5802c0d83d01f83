"""HTML as values: what is not `Markup` is text, and text is escaped. Nobody's words become an element.

    tag("td", "a < b", classes="number")        <td class="number">a &lt; b</td>

The page of `page()` loads nothing: no script, no font, no picture, and its policy forbids what a mistake might add.
"""

import html
import re
from collections.abc import Iterable
from typing import Final

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Signs that no page shows, and those that turn the direction of what follows."""
_EMPTY: Final = frozenset({"meta", "br", "hr"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


NOTHING: Final = Markup("")


def text(said: str) -> Markup:
    """Words of anybody, as text."""
    return said if isinstance(said, Markup) else Markup(html.escape(_CONTROL.sub("\ufffd", said)))


def join(parts: Iterable[str]) -> Markup:
    """One after the other; what is not markup is escaped."""
    return Markup("".join(map(text, parts)))


def tag(name: str, /, *inside: str | Iterable[str], classes: str = "", **attributes: str | float) -> Markup:
    """An element. inside: text, markup, or several of them; attributes: `_` stands for `-`."""
    given = {"class": classes, **attributes} if classes else attributes
    said = "".join(f' {key.replace("_", "-")}="{text(_value(value))}"' for key, value in given.items())
    if name in _EMPTY:
        return Markup(f"<{name}{said}>")
    return Markup(f"<{name}{said}>{''.join(_body(part) for part in inside)}</{name}>")


def page(title: str, body: Iterable[str]) -> str:
    """A whole document."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(_STYLE)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', join(body)), lang='en')}\n"


def _body(part: str | Iterable[str]) -> str:
    return text(part) if isinstance(part, str) else join(part)


def _value(value: str | float) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"
_STYLE: Final = """
:root{color-scheme:light dark;--back:#fff;--card:#f6f7f9;--line:#d9dde3;--ink:#1b1f24;--soft:#5b6570;--link:#0b57d0;
--good:#1a7f4b;--bad:#c0362c;--warn:#946200;--one:#3b6fd4;--two:#8a63d2;--three:#2a9d8f;--four:#b7bec8;--five:#d98324}
@media (prefers-color-scheme:dark){:root{--back:#14171b;--card:#1d2126;--line:#343a42;--ink:#e6e9ed;--soft:#9aa4af;
--link:#8ab4f8;--good:#56c48b;--bad:#f0776c;--warn:#e0b050;--one:#6c9bf0;--two:#ae90ea;--three:#5cc4b6;--four:#545c66;
--five:#eaa355}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1.2rem 1rem 3rem;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25;margin:0}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.2rem 0 .4rem}
p{margin:.4rem 0}a{color:var(--link)}code,.code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9em}
.soft,.more,small{color:var(--soft)}small,.more{font-size:.85em}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
nav{display:flex;flex-wrap:wrap;gap:.2rem .9rem;margin-top:.8rem;font-size:.9em}
dl{display:grid;grid-template-columns:minmax(5.5rem,auto) 1fr;gap:.3rem 1rem;margin:.8rem 0;padding:.9rem 1rem;
background:var(--card);border:1px solid var(--line);border-radius:8px}
dt{color:var(--soft)}dd{margin:0}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:600;white-space:nowrap}
td.n,th.n{text-align:right;white-space:nowrap}td.t{white-space:nowrap}
td.c{white-space:normal;min-width:6.5rem}
tr.more td{border-top:0;padding-top:0}tr.open td{border-bottom:0}
.more ol,.more ul{margin:0 0 .3rem;padding-left:1.2rem}
.bar{display:block;height:.55rem;min-width:1px;background:var(--one);border-radius:2px}
.tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:0 2rem}
ul.tree,ul.tree ul{list-style:none;margin:0;padding-left:1.1rem}ul.tree{padding-left:0}
svg{display:block;max-width:none;font:11px system-ui,sans-serif}svg text{fill:var(--ink)}svg .soft{fill:var(--soft)}
.node{fill:var(--card);stroke:var(--line)}.node.done{stroke:var(--good);stroke-width:1.5}
.node.at{stroke:var(--one);stroke-width:2}.edge{fill:none;stroke:var(--soft);stroke-width:1.2}.tip{fill:var(--soft)}
.grid{stroke:var(--line)}.task{fill:var(--one)}.slice{fill:var(--two)}.milestone{fill:var(--three)}
.merge{fill:var(--good)}.wait,.set-up{fill:var(--four)}.pause{fill:var(--five)}.failed{fill:var(--bad)}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .35em 0 .9em;vertical-align:-.05em}
.key.task{background:var(--one)}.key.slice{background:var(--two)}.key.milestone{background:var(--three)}
.key.merge{background:var(--good)}.key.wait,.key.set-up{background:var(--four)}.key.pause{background:var(--five)}
.key.failed{background:var(--bad)}
@media print{body{max-width:none;padding:0;font-size:10pt}nav{display:none}.wide{overflow:visible}
h2,h3{break-after:avoid}tr,li,svg{break-inside:avoid}svg{max-width:100%;height:auto}
.bar,.key,svg *{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
@media (max-width:40rem){body{font-size:14px;padding:.8rem .7rem 2rem}dl{grid-template-columns:1fr;gap:0 0}
dd{margin-bottom:.4rem}th,td{padding-right:.6rem}}
"""
