"""`T##-VERIFY.json`: what the verification gate ran after a task, and what came of it.

    {
      "schemaVersion": 1,
      "taskId": "T01",
      "unitId": "M001/S01/T01",
      "timestamp": 1763760000000,
      "passed": true,
      "discoverySource": "task-plan",
      "checks": [
        {
          "command": "pytest -q",
          "exitCode": 0,
          "durationMs": 812,
          "verdict": "pass"
        }
      ]
    }

`retryAttempt`, `maxRetries`, `runtimeErrors` and `auditWarnings` are there only when there is something to say.
Ours and optional: `verdict`, `reason`, `attempt`, `treeId`, `flags`, and per check `stdout`, `stderr`, `timedOut`.
Overwritten on each attempt. Source: spec auto 2.24, 5.13.
"""

from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType

from milepost.formats import _records


class Verdict(StrEnum):
    """What the gate says."""

    PASS = "pass"  # noqa: S105 -- a word of the format, not a secret
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    """The harness broke, was killed, or ran no test: neither for nor against the agent."""


class Check(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One command."""

    command: str
    exit_code: int
    """127 when it could not be run, 1 when a signal ended it."""
    duration_ms: int | float
    verdict: Verdict
    stdout: str | UnsetType = UNSET
    """The last part of the stream."""
    stderr: str | UnsetType = UNSET
    timed_out: bool | UnsetType = UNSET


class RuntimeFault(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that broke beside the commands."""

    source: str
    severity: str
    message: str
    blocking: bool


class AuditWarning(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A dependency with a known hole."""

    name: str
    severity: str
    title: str
    url: str
    fix_available: bool


class Evidence(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One run of the gate."""

    schema_version: int = 1
    task_id: str
    unit_id: str
    timestamp: int
    """Epoch milliseconds."""
    passed: bool
    discovery_source: str
    """preference, task-plan, package-json, none, or another finder of ours."""
    checks: tuple[Check, ...] = ()
    retry_attempt: int | UnsetType = UNSET
    max_retries: int | UnsetType = UNSET
    runtime_errors: tuple[RuntimeFault, ...] | UnsetType = UNSET
    audit_warnings: tuple[AuditWarning, ...] | UnsetType = UNSET
    verdict: Verdict | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    attempt: str | UnsetType = UNSET
    tree_id: str | UnsetType = UNSET
    """Git tree that was checked."""
    flags: tuple[str, ...] | UnsetType = UNSET
    """What a person should look at: deleted tests, a loosened gate."""

    @property
    def outcome(self) -> Verdict:
        """The verdict, also of files that only say `passed`."""
        if not isinstance(self.verdict, UnsetType):
            return self.verdict
        return Verdict.PASS if self.passed else Verdict.FAIL


def encode(evidence: Evidence) -> bytes:
    """The file's bytes."""
    return _records.encode(evidence, newline=True)


def decode(data: bytes, path: str) -> Evidence:
    """The evidence in a file's bytes. Raises FormatError."""
    return _records.decode(data, Evidence, path)
