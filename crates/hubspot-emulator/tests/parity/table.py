"""Reads a table of calls, fills in its variables and compares answers with the expected shapes.

`README.md` describes the table. `table.mjs` is the same in JavaScript: change both.
"""

import json
import pathlib
import re
import uuid
from datetime import datetime

HERE = pathlib.Path(__file__).parent
SHAPES = json.loads((HERE / "shapes.json").read_text())


def is_time(value):
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")) is not None
    except ValueError:
        return False


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


KINDS = {
    "@text": lambda value: isinstance(value, str) and value != "",
    "@digits": lambda value: isinstance(value, str) and value.isdigit(),
    "@number": is_number,
    "@number-or-text": lambda value: is_number(value) or isinstance(value, str),
    "@flag": lambda value: isinstance(value, bool),
    "@time": is_time,
    "@object": lambda value: isinstance(value, dict),
    "@list": lambda value: isinstance(value, list),
    "@absent": lambda value: value is None,
}


def rows(file):
    """The calls of a table, each with its line number; lines that begin with `//` are headings."""
    lines = (HERE / file).read_text().splitlines()
    return [(at, json.loads(line)) for at, line in enumerate(lines, 1) if line and not line.startswith("//")]


def fill(value, variables):
    """Puts variables in the place of `{name}`, in every text of a value."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: str(variables[found[1]]), value)
    if isinstance(value, list):
        return [fill(item, variables) for item in value]
    if isinstance(value, dict):
        return {fill(key, variables): fill(item, variables) for key, item in value.items()}
    return value


def new_variables():
    unique = uuid.uuid4().hex[:12]
    return {"unique": unique, "n": "parity" + unique}


def differences(shape, value, path="answer"):
    """Where a value is not as expected; empty when it is."""
    if isinstance(shape, str) and shape.startswith("@"):
        return named(shape, value, path)
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{path} is {value!r}, not an object"]
        pairs = [differences(item, value.get(key), f"{path}.{key}") for key, item in shape.items()]
        return [problem for problems in pairs for problem in problems]
    if isinstance(shape, list):
        return of_list(shape, value, path)
    return [] if shape == value and type(shape) is type(value) else [f"{path} is {value!r}, not {shape!r}"]


def named(shape, value, path):
    if shape in SHAPES:
        return differences(SHAPES[shape], value, path)
    if shape.startswith("@has "):
        return [] if shape[5:] in json.dumps(value) else [f"{path} is {value!r}, without {shape[5:]!r}"]
    return [] if KINDS[shape](value) else [f"{path} is {value!r}, not {shape}"]


def of_list(shape, value, path):
    """One shape: every item has it, and there is one. Otherwise item by item."""
    if not isinstance(value, list) or (shape and not value):
        return [f"{path} is {value!r}, not a list of {len(shape)} or more"]
    shapes = shape * len(value) if len(shape) == 1 else shape
    if len(shapes) != len(value):
        return [f"{path} has {len(value)} items, not {len(shapes)}"]
    pairs = [differences(one, item, f"{path}[{at}]") for at, (one, item) in enumerate(zip(shapes, value))]
    return [problem for problems in pairs for problem in problems]


def remember(row, value, variables):
    """Keeps what later lines refer to: `{"save": {"contact": "results.0.id"}}`."""
    for name, path in row.get("save", {}).items():
        held = value
        for part in path.split("."):
            held = held[int(part)] if isinstance(held, list) else held[part]
        variables[name] = held


def reach(client, path):
    """The method that `crm.contacts.basic_api.get_page` names."""
    for part in path.split("."):
        client = getattr(client, part)
    return client


def judge(row, variables, call):
    """Makes the call of a line. `call` returns the status of a refusal (or nothing) and the answer as JSON."""
    filled = fill(row, variables)
    status, answer = call(filled)
    assert status == filled.get("fails"), f"status {status}: {answer}"
    problems = differences(filled["expect"], answer) if "expect" in filled else []
    assert not problems, "\n".join([*problems, json.dumps(answer)[:2000]])
    remember(filled, answer, variables)
