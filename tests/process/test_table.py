import os
import subprocess
import sys

import pytest

from milepost.process import table


def test_this_process_and_its_parent_are_listed() -> None:
    rows = {row.pid: row for row in table.rows()}
    me = rows[os.getpid()]
    assert (me.parent, me.group) == (os.getppid(), os.getpgrp())
    assert os.getppid() in rows


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_name_with_parentheses_and_spaces(tmp_path: object) -> None:
    program = f"{tmp_path}/a) R 1 (b"
    os.symlink("/bin/sleep", program)
    with subprocess.Popen([program, "600"], env={"SEEN": "yes"}) as child:
        row = table.row(child.pid)
        child.kill()
    assert row is not None
    assert (row.parent, row.pid) == (os.getpid(), child.pid)


def test_what_is_gone_has_no_row() -> None:
    with subprocess.Popen(["true"]) as child:
        pass
    assert table.row(child.pid) is None
    assert table.environment(child.pid) == b""


def test_the_portable_table_agrees() -> None:
    fields = "pid=,ppid=,pgid=,stat=,lstart="
    listed = subprocess.run(
        ["ps", "-ax", "-o", fields], capture_output=True, text=True, env={"LC_ALL": "C", "TZ": "UTC"}
    )
    me = {row.pid: row for row in table.parse_ps(listed.stdout)}[os.getpid()]
    assert (me.parent, me.group) == (os.getppid(), os.getpgrp())
    assert me.start > 1_600_000_000
    assert me.state not in table.GONE


def test_lines_that_are_no_rows_are_passed_over() -> None:
    text = "  PID  PPID\n 12 1 12 Ss   Tue Nov 21 10:00:00 2026\n\n 13 1\n"
    assert [(row.pid, row.parent, row.state) for row in table.parse_ps(text)] == [(12, 1, "S")]
