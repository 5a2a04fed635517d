"""`calls.jsonl` with hubspot-api-client: a line is a call."""

import json

import pytest
import table

VARIABLES = table.new_variables()
ROWS = [(at, row) for at, row in table.rows("calls.jsonl") if row.get("only", "python") == "python"]


def call_with(classic):
    def call(row):
        owner, method = row["call"].rsplit(".", 1)
        api = table.reach(classic, owner)
        try:
            answer = getattr(api, method)(*row.get("args", []), **row.get("options", {}))
        except Exception as refused:
            if not hasattr(refused, "body"):
                raise
            return refused.status, json.loads(refused.body)
        return None, api.api_client.sanitize_for_serialization(answer)

    return call


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=[f"{at}-{row['call']}" for at, row in ROWS])
def test_call(classic, row):
    table.judge(row, VARIABLES, call_with(classic))
