"""An integration's defaults."""

from __future__ import annotations

from tests.builders import integration


def test_defaults_are_those_of_the_product_page() -> None:
    plain = integration()
    assert plain.issue_type == "Bug"
    assert (plain.labels_field, plain.description_field) == ("labels", "description")
    assert plain.custom_fields == {}
    assert plain.id == "my_universe/my_project/jira-bugs"
    assert integration(issue_type="Crash").parking_scope == "BUG/Crash"
