"""The check on the merged tree, before anything is published.

`pre_merge_check: true` runs the project's own commands (`verification_commands`, else the scripts of package.json);
a text is the command to run. Source: spec auto 6.6, DESIGN "Parallel".
"""

from collections.abc import Callable, Coroutine
from pathlib import Path

from milepost.formats.evidence import Verdict
from milepost.git.merge import CheckResult
from milepost.model.units import Unit, UnitKind
from milepost.process.confine import Confinement
from milepost.unit.verify import discover, verify
from milepost.worker.shift import Shift


def check(milestone: str, shift: Shift) -> Callable[[Path], Coroutine[object, object, CheckResult]] | None:
    """What runs in a scratch checkout of the merged tree; None when the settings want nothing checked."""
    wanted = shift.preferences.git.pre_merge_check
    if wanted is False or wanted == "":
        return None

    async def run(tree: Path) -> CheckResult:
        return await _run(milestone, tree, wanted, shift)

    return run


async def _run(milestone: str, tree: Path, wanted: bool | str, shift: Shift) -> CheckResult:
    preference = [wanted] if isinstance(wanted, str) else shift.preferences.verification_commands
    commands = discover(preference=preference, verify="", cwd=tree, env=shift.env)
    if not commands.checks:
        shift.watcher.note(f"pre_merge_check: nothing to run was found for {milestone}; it is merged unchecked")
        return CheckResult(passed=True, detail="nothing to run was found")
    found = await verify(
        Unit(UnitKind.COMPLETE_MILESTONE, milestone),
        commands,
        cwd=tree,
        env=shift.env,
        evidence_path=shift.state / "runtime" / "gates" / f"pre-merge-{milestone}.json",
        now_ms=shift.now_ms,
        confine=Confinement(writable=(tree, *shift.caches)) if shift.sandbox else None,
        known_secrets=shift.secrets,
    )
    passed = {Verdict.PASS: True, Verdict.FAIL: False, Verdict.INCONCLUSIVE: None}[found.verdict]
    shift.watcher.note(f"check before merging {milestone}: {found.verdict}")
    return CheckResult(passed=passed, detail=found.reason)
