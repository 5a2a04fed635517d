"""`dated_calls.jsonl` with hubspot-sdk: a line is a call."""

import re
import warnings

import hubspot_sdk
import pytest
import table

VARIABLES = table.new_variables()
ROWS = table.rows("dated_calls.jsonl")


def plain(answer, row):
    """The answer as JSON. The client warns of the field that a row `warns` of, and of no other one."""
    if not hasattr(answer, "model_dump"):
        return answer
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = answer.model_dump(mode="json", by_alias=True)
    fields = {name for warning in caught for name in re.findall(r"field_name='(\w+)'", str(warning.message))}
    texts = [str(warning.message) for warning in caught]
    assert fields == set(row.get("warns", [])) and bool(texts) == bool(fields), texts
    return value


def call_with(dated):
    def call(row):
        method = table.reach(dated, row["call"])
        try:
            return None, plain(method(*row.get("args", []), **row.get("options", {})), row)
        except hubspot_sdk.APIStatusError as refused:
            return refused.status_code, refused.body

    return call


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=[f"{at}-{row['call']}" for at, row in ROWS])
def test_call(dated, row):
    table.judge(row, VARIABLES, call_with(dated))
