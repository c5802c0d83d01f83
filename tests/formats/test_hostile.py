"""Documents that nobody would write: read in linear time, without an error. A quadratic reader hangs here."""

from collections.abc import Callable

import pytest

from milepost.formats import context, overrides, plan, requirements, roadmap, summary, uat, validation

HUGE = 200_000
READERS: list[Callable[[str], object]] = [
    roadmap.parse,
    plan.parse,
    summary.parse,
    summary.reports_failure,
    requirements.counts,
    requirements.parse,
    overrides.parse,
    context.depends_on,
    context.title,
    validation.verdict,
    uat.mode,
]
DOCUMENTS = {
    "blank lines": "\n" * HUGE + "failed",
    "open comments": "<!--" * HUGE,
    "closed comments": "<!---->" * HUGE,
    "one long line": "- [ ] **S01: " + "_(" * HUGE,
    "one long heading": "# " + "M001: " * HUGE,
    "digits in a heading": "## Active\n### R" + "1" * HUGE,
    "spaces": "## Slices\n- [ ] **S01" + " " * HUGE + "\n### T01" + " " * HUGE,
    "a list item that goes on": "---\nprovides:\n  - a\n" + "    more\n" * HUGE + "---\n",
    "a task that goes on": "## Tasks\n- [ ] **T01: a**\n" + "  more\n" * HUGE,
    "many dependencies": "## Slices\n- [ ] **S01: a** `depends:[" + "S1-S999," * 2_000 + "]`\n",
    "fences": "```\n" * HUGE,
    "many slices": "## Slices\n" + "".join(f"- [ ] **S{n}: a** `depends:[S{n + 1}]`\n" for n in range(HUGE // 10)),
    "rows": "## Slices\n" + "| S01 | x |\n" * (HUGE // 10),
    "pipes": "## Slices\n| S01 " + "|" * 19_000 + "\n",
    "brackets": "---\ndepends_on: [" + '"' * HUGE + "]\n---\n",
    "stars": "*" * HUGE + "\n**Verdict" + " " * HUGE,
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_reader_ends(name: str) -> None:
    for reader in READERS:
        reader(DOCUMENTS[name])
