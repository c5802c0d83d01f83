"""`gsd prices`: what a model costs and who says so; `gsd prices update` fetches a newer table, and only that does.

Source: issue "Money".
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from milepost.agents.builtin import models, price_table
from milepost.errors import ExitCode, MilepostError
from milepost.formats.preferences import Preferences
from milepost.rules import billing
from milepost.store import preferences
from milepost.ui.cli import agents, arguments, context, credentials
from milepost.ui.cli.main import state_dir
from milepost.ui.views import prices
from milepost.ui.views.prices import Line, Origin


class NoTable(MilepostError):
    """The library with the price table is not installed."""


def run(argv: Sequence[str], program: str) -> int:
    """Print prices, or fetch newer ones."""
    made = arguments.Parser(prog=f"{program} prices", description="What models cost, per million tokens.")
    made.add_argument("model", metavar="MODEL", nargs="*", help="models; none: those of the project. `update`: fetch")
    made.add_argument("--from", dest="url", metavar="URL", default="", help="update: fetch from there, not upstream")
    made.add_argument("--json", action="store_true", help="the same as JSON")
    options = made.parse_args(argv)
    if find_spec("genai_prices") is None:
        raise NoTable("the price table is not installed", hint="pip install 'milepost[anthropic]'")
    settings, home = _settings(program)
    path = Path(home) / price_table.FILE
    if options.model == ["update"]:
        table = price_table.fetch(options.url, path, now_ms=time.time_ns() // 1_000_000)
    elif options.url:
        raise arguments.BadOption("--from goes with update", hint=f"{program} prices update --from URL")
    else:
        price_table.choose(path)
        table = price_table.ready()
    origin = Origin(table.library, table.models, table.fetched_ms, table.source, table.problem)
    names = [] if options.model == ["update"] else options.model or _of_project(settings, home)
    lines = [_line(name, settings) for name in dict.fromkeys(names)]
    shown = json.dumps(prices.document(lines, origin)) + "\n" if options.json else prices.text(lines, origin, program)
    sys.stdout.write(shown)
    return ExitCode.DONE


def _settings(program: str) -> tuple[Preferences, str]:
    """The project's settings, or outside one the global ones; and where the global ones lie."""
    try:
        where = context.find(program)
    except context.NoProject:
        home = context.home(state_dir(program))
        return preferences.load(os.path.join(home, "none"), home).preferences, home
    return preferences.load(where.root, where.home, state_dir=where.state_dir).preferences, where.home


def _of_project(settings: Preferences, home: str) -> Iterable[str]:
    """The models that the project would use, and those that the preferences say something of."""
    wanted = agents.Wanted(agent="builtin", model=None, record=None, pace_s=0)
    for line_up in agents.models(wanted, settings, credentials.environ(home)).values():
        yield from (name for name in line_up if name)
    yield from (name for name in settings.prices if not set(name) & set("*?["))


def _line(name: str, settings: Preferences) -> Line:
    if flat := billing.matching(settings.billing.flat_rate, name):
        return Line(name, f"flat rate ({flat})")
    if pattern := billing.matching(settings.prices, name):
        price = settings.prices[pattern]
        read = price.input if price.cache_read is None else price.cache_read
        written = price.input if price.cache_write is None else price.cache_write
        return Line(name, f"preferences ({pattern})", price.input, price.output, read, written)
    try:
        provider, model = models.provider_of(name)
    except models.UnknownModel:
        return Line(name, "")
    found = None if provider in models.UNPRICED else price_table.listed(provider, model)
    if found is None:
        return Line(name, "")
    return Line(name, "table", found.input, found.output, found.cache_read, found.cache_write, found.tiers)
