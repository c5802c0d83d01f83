import planned
import pytest

from milepost.rules.overlap import shared, touched
from milepost.testing.trees import DictTree


def slice_plan(listed: str = "", tasks: str = "", sid: str = "S01", mid: str = "M001") -> planned.Files:
    text = f"# {sid}: Slice\n\n**Goal:** g\n\n## Tasks\n\n{tasks}\n\n## Files Likely Touched\n\n{listed}\n"
    return planned.slice_document(sid, "PLAN", text, mid=mid)


def touched_by(*lines: str) -> tuple[str, ...]:
    return touched(planned.tree(planned.roadmap(), slice_plan("\n".join(lines))), "M001")


@pytest.mark.spec(id="DV-28")
@pytest.mark.spec(id="PR-346")
@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("- `src/db.py`", ["src/db.py"]),
        ("- src/db.py", ["src/db.py"]),
        ("* `src/db.py`", ["src/db.py"]),
        ("- `src/db.py", ["src/db.py"]),
        ("- ``src/db.py``", ["src/db.py"]),
        ("1. `src/db.py`", ["src/db.py"]),
        ("- [ ] `src/db.py`", ["src/db.py"]),
        ("- `src/db.py` (new)", ["src/db.py"]),
        ("- src/db.py (extend DashboardData)", ["src/db.py"]),
        ("- src/db.py(new)", ["src/db.py"]),
        ("- src/db.py — None-handling in 5 filters, D/E normalization in stage_2", ["src/db.py"]),
        ("- `src/db.py` — exports `open_db`, used by `src/app.py`", ["src/db.py"]),
        ("- src/db.py - new", ["src/db.py"]),
        ("- `src/db.py`: why", ["src/db.py"]),
        ("- src/db.py: call `open_db` at start", ["src/db.py"]),
        ("- Create: `src/db.py`", ["src/db.py"]),
        ("- New files: src/db.py, src/app.py", ["src/app.py", "src/db.py"]),
        ("- `src/db.py:12-30`", ["src/db.py"]),
        ("- ./src/db.py.", ["src/db.py"]),
        ("- src\\db.py", ["src/db.py"]),
        ("- src//./db.py", ["src/db.py"]),
        ("- `test/a.js`, `test/b.js`, `test/c.js`", ["test/a.js", "test/b.js", "test/c.js"]),
        ("- test/a.js, test/b.js and test/c.js", ["test/a.js", "test/b.js", "test/c.js"]),
        ("- `a.py` (new), `b.py` (deleted)", ["a.py", "b.py"]),
        ("- `old.py` → `new.py`", ["new.py", "old.py"]),
        ("- old.py -> new.py", ["new.py", "old.py"]),
        ("- `src/{a,b}.py`", ["src/a.py", "src/b.py"]),
        ("- src/{a,b}.py, c.py", ["c.py", "src/a.py", "src/b.py"]),
        ("- src/api/ — the routes", ["src/api/"]),
        ("- `src/**/*.py`", ["src/**/*.py"]),
        ("- Dockerfile", ["Dockerfile"]),
        ("- .gitignore", [".gitignore"]),
        ("- `docs/My File.md` (new)", ["docs/My File.md"]),
        ("- My App/Main View.swift (new)", ["My App/Main View.swift"]),
        ("- `app/[id]/(auth)/page.tsx`", ["app/[id]/(auth)/page.tsx"]),
        ("- app/(auth)/page.tsx (new)", ["app/(auth)/page.tsx"]),
        ("- `routes/$user.tsx`", ["routes/$user.tsx"]),
        ("- ../other/package.json", ["../other/package.json"]),
        ("| `src/db.py` | the tables |", ["src/db.py"]),
        ("- `src/größe.py`", ["src/größe.py"]),
    ],
)
def test_how_a_path_is_written(line: str, paths: list[str]) -> None:
    assert list(touched_by(line)) == paths


@pytest.mark.parametrize(
    "line",
    [
        "- none",
        "- N/A",
        "- `none`",
        "- (verification environment only)",
        "- 16 dead component files (deleted)",
        "<!-- gsd:state-version=4:0 -->",
        "- .gsd/milestones/M001/slices/S01/S01-GAP-ANALYSIS.md (primary deliverable)",
        "- `.gsd/` — milestone tracking files",
        "- .sf/STATE.md",
        "- .gsd/milestones/M001/T01-SUMMARY.md through T03-SUMMARY.md",
        "- `npm run build`",
        "- https://example.invalid/a.py",
        "- `extract_metric()`",
        "- models/stock.py — Read-only (FilterResult, ScreenedStock)",
        "- src/styles.css (read)",
        "-",
        "| File | Why |",
        "|---|---|",
        "- " + "a" * 600 + ".py",
        "- " + "(,{" * 400_000,
    ],
)
def test_what_names_no_path_is_left_out(line: str) -> None:
    assert touched_by(line) == ()


@pytest.mark.parametrize("line", ["- src/a.py (reads the settings)", "- `read-only.md`", "- docs/a-read-only.md"])
def test_a_path_is_not_left_out_because_reading_is_spoken_of(line: str) -> None:
    assert len(touched_by(line)) == 1


@pytest.mark.spec(id="PR-346")
def test_every_listed_slice_counts_once_with_its_tasks_and_the_result_is_sorted() -> None:
    tree = planned.tree(
        planned.roadmap(slices="[x] S01, [ ] S02, [ ] S03"),
        slice_plan("- `src/z.py`\n- `src/a.py`", "- [x] **T01: One**\n  - Files: `src/m.py`, `src/a.py`"),
        slice_plan("- src/a.py", "- [ ] **T01: Two**\n  - Files: lib/b.py, lib/c.py\n  - Verify: true", sid="S02"),
        slice_plan("- `src/nobody.py`", sid="S09"),
    )
    assert touched(tree, "M001") == ("lib/b.py", "lib/c.py", "src/a.py", "src/m.py", "src/z.py")


@pytest.mark.spec(id="PR-346")
def test_without_plans_nothing_is_touched() -> None:
    assert touched(DictTree({}), "M001") == ()
    assert touched(planned.tree(planned.roadmap()), "M001") == ()
    assert touched(planned.tree(slice_plan("- `src/a.py`")), "M001") == (), "its slice is in no roadmap"


@pytest.mark.spec(id="PR-346")
@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        ("src/a.py", "src/a.py", "src/a.py"),
        ("src/a.py", "src/b.py", ""),
        ("z.py b.py a.py", "a.py z.py c.py", "a.py z.py"),
        ("src/types.ts src/middleware.ts", "src/middleware.ts src/types.ts", "src/middleware.ts src/types.ts"),
        ("src/api/", "src/api/routes.py", "src/api/routes.py"),
        ("src/api", "src/api/routes.py", "src/api/routes.py"),
        ("src/api", "src/apis/routes.py", ""),
        ("src/api/", "src/api", "src/api/"),
        ("src/", "src/api/", "src/api/"),
        ("src/api/ src/api/a.py", "src/api/a.py", "src/api/a.py"),
        ("src/*.py", "src/a.py", "src/a.py"),
        ("src/*.py", "src/api/a.py", ""),
        ("src/*.py", "src/a.pyx", ""),
        ("src/**/*.py", "src/a.py src/x/y/b.py src/c.js", "src/a.py src/x/y/b.py"),
        ("**/*.py", "a.py", "a.py"),
        ("**", "a.py docs/", "a.py docs/"),
        ("src/**", "src/api/", "src/api/"),
        ("src/**/*.py", "src/api/", "src/api/"),
        ("src/api/*.py", "src/", "src/api/*.py"),
        ("src/*.py", "src/api/", ""),
        ("src/api/*.py", "src/api", "src/api/*.py"),
        ("**/*.py", "Dockerfile", ""),
        ("src/*/", "src/api/a.py", "src/api/a.py"),
        ("packages/*/package.json", "packages/boot/package.json", "packages/boot/package.json"),
        ("packages/*/package.json", "packages/boot/index.js", ""),
        ("src/**/*.py", "src/api/*.py", "src/api/*.py"),
        ("src/*.py", "src/*.js", ""),
        ("src/a*.py", "src/*b.py", "src/a*.py"),
        ("src/?.py", "src/a.py src/ab.py", "src/a.py"),
        ("app/[id]/page.tsx", "app/i/page.tsx", ""),
        ("app/[id]/*", "app/[id]/page.tsx", "app/[id]/page.tsx"),
        ("Src/a.py", "src/a.py", ""),
        ("", "a.py", ""),
    ],
)
def test_shared(a: str, b: str, both: str) -> None:
    assert shared(a.split(), b.split()) == tuple(both.split())
    assert shared(b.split(), a.split()) == tuple(both.split()), "both sides say the same"


def test_a_glob_made_to_be_slow_is_not() -> None:
    stars, depths = "*a" * 200 + ".py", "**/" * 60 + "c.py"
    assert shared([stars, depths], ["a" * 480 + ".js", "a/" * 200 + "d.py"]) == ()
    assert len(shared([stars], ["*b" * 100 + "*"])) == 1
