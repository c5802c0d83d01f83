"""`gsd discard MID`: take a milestone out of the plan; `--restore` has it back. Source: spec auto 2.25, 7."""

import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.model.ids import require_milestone
from milepost.ui.agreed import agreed
from milepost.ui.cli import arguments, context
from milepost.ui.cli.new_milestone import site_of
from milepost.worker import discarding, queueing
from milepost.worker.adding import Site


def run(argv: Sequence[str], program: str) -> int:
    """Discard or restore it."""
    made = arguments.Parser(
        prog=f"{program} discard", description="Take a milestone out of the plan; everything of it is kept aside."
    )
    made.add_argument("id", metavar="MID", help="which one")
    made.add_argument("--yes", action="store_true", help="do not ask")
    made.add_argument("--restore", action="store_true", help="have a discarded one back")
    options = made.parse_args(argv)
    mid, site = require_milestone(options.id), site_of(context.find(program), program)
    if options.restore:
        return _restore(mid, site)
    queueing.require_open(mid, site)
    if not options.yes and not _agreed(mid, site):
        return ExitCode.BLOCKED
    done = discarding.discard(mid, site)
    lines = [f"{mid} is out of the plan. {program} discard --restore {mid} has it back."]
    if done.record.tip:
        lines.append(f"  Its branch is kept under refs/gsd/backup/{mid}/ ({done.record.tip[:10]}).")
    if done.record.work:
        lines.append(f"  What was not committed is kept as {done.record.work}.")
    lines += _waiting(done.waiting, mid)
    lines += [f"  Not committed: {done.uncommitted}"] if done.uncommitted else []
    sys.stdout.write("\n".join(lines) + "\n")
    return ExitCode.DONE


def _restore(mid: str, site: Site) -> int:
    record, why = discarding.restore(mid, site)
    lines = [f"{mid} is in the plan again, as it was on {record.discarded_at}."]
    if record.work:
        lines.append(f"  What was not committed then is {record.work}: git diff {record.tip[:10]} {record.work}")
    lines += [f"  Not committed: {why}"] if why else []
    sys.stdout.write("\n".join(lines) + "\n")
    return ExitCode.DONE


def _waiting(names: Sequence[str], mid: str) -> list[str]:
    return [f"  {', '.join(names)} waits for {mid} and will not start without it."] if names else []


def _agreed(mid: str, site: Site) -> bool:
    told = "\n".join([f"{mid} is taken out of the plan.", *_waiting(discarding.waiting_for(mid, site), mid)])
    sys.stderr.write(f"{told}\n")
    return agreed("Do it?", untold="  Nothing was done; add --yes to do it.")
