"""The schema and the reference page come from the table."""

import json
from importlib import resources

import pytest

from milepost.formats import preferences_schema
from milepost.formats.preferences_table import rows


def test_the_shipped_schema_is_the_generated_one() -> None:
    shipped = resources.files("milepost.formats").joinpath("preferences.schema.json").read_text()
    assert shipped == preferences_schema.text()


def test_it_is_a_2020_12_schema_with_every_key() -> None:
    schema = json.loads(preferences_schema.text())
    assert schema["$schema"].endswith("2020-12/schema")
    git = schema["properties"]["git"]["anyOf"][0]["properties"]
    assert git["isolation"]["anyOf"][0]["enum"] == ["worktree", "branch", "none"]
    assert git["isolation"]["default"] == "worktree"
    assert schema["properties"]["models"]["anyOf"][0]["properties"]["planning"]["anyOf"][0] == {"$ref": "#/$defs/model"}
    assert schema["$defs"]["model"]["anyOf"][1]["required"] == ["model"]
    assert {row.path for row in rows() if "." not in row.path} == set(schema["properties"])


@pytest.mark.parametrize("entry", preferences_schema.reference(), ids=lambda entry: entry.key)
def test_every_key_has_a_line_in_the_reference(entry: preferences_schema.Entry) -> None:
    assert entry.takes
    assert entry.says.endswith(".")


def test_keys_of_others_are_listed() -> None:
    assert "git.auto_pr" in preferences_schema.ignored()
