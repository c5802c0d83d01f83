"""Run-time files that git would commit, or has committed. Source: spec auto 1.3, parallel (gitignore set), #7."""

from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.git.run import fields, git, raw
from milepost.rules import gitignore
from milepost.store import atomic

_FEW = 3


def look_tracked(site: Site) -> Iterator[Finding]:
    """Run-time files in the index."""
    if site.git is None or not site.git.tracked_runtime:
        return
    tracked = site.git.tracked_runtime
    named = ", ".join(tracked[:_FEW]) + (f" and {len(tracked) - _FEW} more" if len(tracked) > _FEW else "")
    yield Finding(
        code="tracked_runtime_files",
        severity=Severity.WARNING,
        path=site.state_dir,
        message=f"holds run-time files that git tracks: {named}",
        hint="gsd doctor --fix takes them out of git's index; the files stay, and you commit when you like.",
        fixable=True,
    )


def fix_tracked(site: Site, finding: Finding) -> str:
    """`git rm --cached`: the one fix that touches the user's index. Git refuses where staged content would be lost."""
    del finding
    if site.git is None or site.git.operation is not None:
        raise NotFixed("the index is not touched while something is half done in your checkout")
    tracked = site.git.tracked_runtime
    listed = b"".join(b":(top,literal)" + raw(path) + b"\0" for path in _from_top(site, tracked))
    from_stdin = ("--pathspec-from-file=-", "--pathspec-file-nul")
    git(site.root, "rm", "--cached", "--quiet", "--ignore-unmatch", *from_stdin, stdin=listed)
    return f"staged the removal of {len(tracked)} files from git; they stay on disk, nothing was committed"


def look_patterns(site: Site) -> Iterator[Finding]:
    """Run-time files that git does not ignore, asked of git itself so that any way of ignoring them counts."""
    if site.git is None or not site.settings.preferences.git.manage_gitignore:
        return
    missing = _not_ignored(site)
    if not missing:
        return
    named = ", ".join(missing[:_FEW]) + (f" and {len(missing) - _FEW} more" if len(missing) > _FEW else "")
    yield Finding(
        code="gitignore_missing_patterns",
        severity=Severity.WARNING,
        path=".gitignore",
        message=f"does not cover run-time files: {named}",
        hint="gsd doctor --fix appends what is missing.",
        fixable=True,
    )


def fix_patterns(site: Site, finding: Finding) -> str:
    """Append what is missing; lines of the user stay as they are."""
    del finding
    path = site.root / ".gitignore"
    if path.is_symlink():
        raise NotFixed(".gitignore is a link; what it points to is not written")
    old = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else ""
    new = gitignore.ensure(
        old,
        commit_docs=site.settings.preferences.git.commit_docs,
        manage=site.settings.preferences.git.manage_gitignore,
        state_dir=site.state_dir,
    )
    if new == old:
        raise NotFixed("every pattern is there, and another line takes one back", hint="git check-ignore -v PATH")
    atomic.replace(path, new.encode("utf-8", "surrogateescape"))
    return "appended what was missing; commit it when you like"


def _not_ignored(site: Site) -> tuple[str, ...]:
    """Patterns whose files git would show as untracked."""
    docs = site.settings.preferences.git.commit_docs
    patterns = gitignore.RUNTIME_PATTERNS if docs else ("milestones/M001/M001-ROADMAP.md",)
    samples = {f"{site.state_dir}/{_sample(pattern)}": f"{site.state_dir}/{pattern}" for pattern in patterns}
    asked = b"".join(raw(path) + b"\0" for path in samples)
    ignored = fields(git(site.root, "check-ignore", "--no-index", "-z", "--stdin", stdin=asked, ok=(0, 1)).out)
    return tuple(pattern for path, pattern in samples.items() if path not in ignored)


def _sample(pattern: str) -> str:
    """A path that the pattern means."""
    return pattern.replace("**/", "M001/").replace("*", "1") + ("sample" if pattern.endswith("/") else "")


def _from_top(site: Site, paths: tuple[str, ...]) -> list[str]:
    prefix = git(site.root, "rev-parse", "--show-prefix").line
    return [prefix + path for path in paths]


CHECKS = (
    Check(name="tracked-runtime", look=look_tracked, fix=fix_tracked),
    Check(name="gitignore", look=look_patterns, fix=fix_patterns),
)
