"""`gsd why` for every unit of the project, as one JSON object: `python -m night.whys`."""

import json
import sys

from night import shifted


def told() -> dict[str, object]:
    """Key of a unit to its explanation, with the text that a person reads."""
    from milepost.ui.cli import context, looking
    from milepost.ui.views import story, why_unit

    here = looking.around(context.find("gsd"), "gsd")
    keys = dict.fromkeys(attempt.key for attempt in here.attempts)
    found = {key: why_unit.story(key, here) for key in keys}
    return {key: {**one.document, "text": story.text(one, 100)} for key, one in found.items()}


if __name__ == "__main__":
    shifted.install()
    sys.stdout.write(json.dumps(told()) + "\n")
