"""`gsd hooks`: the hooks of the preferences, and how often each ran. Source: spec auto 5.16, 7."""

import sys
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode
from milepost.formats.preferences import PostUnitHook, PreDispatchHook
from milepost.model.words import counted
from milepost.rules import hooks
from milepost.store.journal import Journal
from milepost.ui.cli import arguments, context, project
from milepost.ui.views.parallel_text import plain


def run(argv: Sequence[str], program: str) -> int:
    """List them; changes nothing."""
    arguments.Parser(prog=f"{program} hooks", description="The hooks that are set, and how often each ran.").parse_args(
        argv
    )
    where = context.find(program)
    chosen = project.settings(where, program).preferences
    told = hooks.story(Journal(Path(where.root, where.state_dir), "project").everything())
    ran: dict[str, int] = {}
    for key, times in told.cycles.items():
        ran[key.partition("/")[0]] = ran.get(key.partition("/")[0], 0) + times
    lines = [_post(hook, ran.get(hook.name, 0)) for hook in chosen.post_unit_hooks]
    lines += [_pre(hook) for hook in chosen.pre_dispatch_hooks]
    lines += [f"{wanted.hook} waits to run for {wanted.kind} {wanted.unit}" for wanted in told.wanted]
    sys.stdout.write("\n".join(map(plain, lines or ["No hooks are set (post_unit_hooks, pre_dispatch_hooks)."])) + "\n")
    return ExitCode.DONE


def _post(hook: PostUnitHook, ran: int) -> str:
    more = [f"at most {counted(hook.max_cycles, 'run')} a unit", f"ran {counted(ran, 'time')}"]
    more += [f"writes {hook.artifact}"] if hook.artifact else []
    more += [f"again on {hook.retry_on}"] if hook.retry_on else []
    more += [] if hook.enabled else ["off"]
    return f"{hook.name}  after {', '.join(hook.after)}  ({'; '.join(more)})"


def _pre(hook: PreDispatchHook) -> str:
    off = "" if hook.enabled else "  (off)"
    return f"{hook.name}  before {', '.join(hook.before)}: {hook.action}{off}"
