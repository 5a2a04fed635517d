"""Runs popular connectors against the emulator and counts what they read.

Usage: python peers.py AIRBYTE_VENV MELTANO_VENV, with SPOKE_EMULATOR_URL and SPOKE_EMULATOR_TOKEN in the environment.
Each must read contacts, companies and deals: as many distinct rows as `/_emulator/truth` says are live.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).parent
STREAMS = ["contacts", "companies", "deals"]
URL = os.environ["SPOKE_EMULATOR_URL"]
TOKEN = os.environ.get("SPOKE_EMULATOR_TOKEN", "pat-na1-00000000-0000-4000-8000-000000000000")
LONGEST_RUN = 300


def truth(stream):
    with urllib.request.urlopen(f"{URL}/_emulator/truth/{stream}") as lines:
        records = [json.loads(line) for line in lines]
    return {record["id"] for record in records if record["state"] == "live"}


def post(path, body):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def is_number(text):
    try:
        return text == "" or float(text) is not None
    except ValueError:
        return False


def remove_text_from_numbers(stream):
    """Some seeded number properties hold text, as in real accounts. Airbyte's source ends with an error at the first."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(f"{URL}/crm/v3/properties/{stream}", headers=headers)
    with urllib.request.urlopen(request) as answer:
        numbers = {each["name"] for each in json.load(answer)["results"] if each["type"] == "number"}
    with urllib.request.urlopen(f"{URL}/_emulator/truth/{stream}") as lines:
        records = [json.loads(line) for line in lines]
    for record in records:
        wrong = {name: "0" for name, text in record["properties"].items() if name in numbers and not is_number(text)}
        if wrong and record["state"] == "live":
            post(f"/crm/v3/objects/{stream}/batch/update", {"inputs": [{"id": record["id"], "properties": wrong}]})


def run(folder, command):
    """The JSON lines that a peer prints. Its own folder, because some write files where they stand."""
    env = {**os.environ, "PYTHONPATH": str(HERE.resolve()), "PYTHONDONTWRITEBYTECODE": "1"}
    with open(folder / "errors.txt", "w") as errors:
        done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=errors, timeout=LONGEST_RUN)
    lines = done.stdout.decode().splitlines()
    if done.returncode:
        tail = [*lines[-5:], *(folder / "errors.txt").read_text().splitlines()[-15:]]
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n" + "\n".join(tail))
    return [json.loads(line) for line in lines if line.startswith("{")]


def write(folder, name, value):
    path = folder / name
    path.write_text(json.dumps(value))
    return str(path)


def airbyte(venv, folder):
    credentials = {"credentials_title": "Private App Credentials", "access_token": TOKEN}
    config = write(folder, "config.json", {"credentials": credentials, "start_date": "2006-06-01T00:00:00Z"})
    streams = [
        {
            "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
            "sync_mode": "full_refresh",
            "destination_sync_mode": "overwrite",
        }
        for name in STREAMS
    ]
    catalog = write(folder, "catalog.json", {"streams": streams})
    messages = run(folder, [f"{venv}/bin/source-hubspot", "read", "--config", config, "--catalog", catalog])
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    return [(record["stream"], record["data"]["id"]) for record in records]


def singer_stream(name):
    key = "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"
    properties = {"id": {"type": "string"}, key: {"type": ["string", "null"], "format": "date-time"}}
    paths = [[], *(["properties", name] for name in properties)]
    chosen = {"inclusion": "available", "selected": True}
    return {
        "tap_stream_id": name,
        "stream": name,
        "replication_key": key,
        "key_properties": ["id"],
        "schema": {"type": "object", "properties": properties},
        "metadata": [{"breadcrumb": path, "metadata": chosen} for path in paths],
    }


def meltano(venv, folder):
    config = write(folder, "config.json", {"access_token": TOKEN})
    tap = [f"{venv}/bin/tap-hubspot", "--config", config]
    catalog = {"streams": [singer_stream(name) for name in STREAMS]}
    messages = run(folder, [*tap, "--catalog", write(folder, "catalog.json", catalog)])
    records = [message for message in messages if message["type"] == "RECORD"]
    return [(record["stream"], record["record"]["id"]) for record in records]


def check(name, peer, venv):
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        rows = peer(pathlib.Path(venv).resolve(), pathlib.Path(folder))
        took = time.monotonic() - start
    right = True
    for stream in STREAMS:
        read = [id for of, id in rows if of == stream]
        wanted = truth(stream)
        right &= set(read) == wanted
        print(f"{name}: {stream}: {len(read)} rows, {len(set(read))} distinct, {len(wanted)} in HubSpot")
    print(f"{name}: {took:.1f} s", flush=True)
    return right


if __name__ == "__main__":
    for each in STREAMS:
        remove_text_from_numbers(each)
    results = [check("airbyte", airbyte, sys.argv[1]), check("meltano", meltano, sys.argv[2])]
    sys.exit(0 if all(results) else 1)
