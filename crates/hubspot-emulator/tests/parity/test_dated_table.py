"""`dated_calls.jsonl` with hubspot-sdk: a line is a call."""

import hubspot_sdk
import pytest
import table

VARIABLES = table.new_variables()
ROWS = table.rows("dated_calls.jsonl")


def plain(answer):
    return answer.model_dump(mode="json", by_alias=True) if hasattr(answer, "model_dump") else answer


def call_with(dated):
    def call(row):
        method = table.reach(dated, row["call"])
        try:
            return None, plain(method(*row.get("args", []), **row.get("options", {})))
        except hubspot_sdk.APIStatusError as refused:
            return refused.status_code, refused.body

    return call


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=[f"{at}-{row['call']}" for at, row in ROWS])
def test_call(dated, row):
    table.judge(row, VARIABLES, call_with(dated))
