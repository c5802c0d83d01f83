"""What is wrong with the preferences, all of it at once. Source: spec auto 2.9."""

from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.site import Site


def look(site: Site) -> Iterator[Finding]:
    """Each problem that loading them found, with its line."""
    for problem in site.settings.problems:
        yield Finding(
            code="invalid_preferences",
            severity=Severity(problem.severity),
            path=problem.path,
            line=problem.line,
            message=f"{problem.key}: {problem.message}" if problem.key else problem.message,
            hint="gsd auto does not start before it is mended." if problem.severity == "error" else "",
        )


CHECKS = (Check(name="settings", look=look),)
