"""Runs popular connectors against the emulator as a stranger would: check, discover, and read of every stream.

Usage: python peers.py AIRBYTE_VENV MELTANO_VENV SINGER_VENV, with SPOKE_EMULATOR_URL and SPOKE_EMULATOR_TOKEN in the
environment. Nothing is written to the emulator. What a stream of records read must be the live records of
`/_emulator/truth`; every other stream must end without an error. A stream that a peer cannot read for its own fault is
in `KNOWN` with the reason, and must still fail: a fault that has gone is an error too.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).parent
URL = os.environ["SPOKE_EMULATOR_URL"]
TOKEN = os.environ.get("SPOKE_EMULATOR_TOKEN", "pat-na1-00000000-0000-4000-8000-000000000000")
LONGEST_RUN = 600

# (peer, stream): why the peer cannot read it.
KNOWN = {}

# What a peer calls the records of a truth, where the names differ, and the member that holds the id.
TRUTHS = {
    "goals": "goal_targets",
    "contact_lists": "lists",
    "engagements_calls": "calls",
    "engagements_emails": "emails",
    "engagements_meetings": "meetings",
    "engagements_notes": "notes",
    "engagements_tasks": "tasks",
}
IDS = ["id", "companyId", "dealId", "listId", "guid"]


def truth(stream):
    """The ids of the live records that a stream should have, or None where there is no truth of that name."""
    name = TRUTHS.get(stream, stream)
    try:
        with urllib.request.urlopen(f"{URL}/_emulator/truth/{name}") as lines:
            records = [json.loads(line) for line in lines]
    except urllib.error.HTTPError:
        return None
    if not all("state" in record for record in records):
        return None
    return {str(record["id"]) for record in records if record["state"] == "live"}


def id_of(record):
    return next((str(record[name]) for name in IDS if name in record), None)


def run(folder, command):
    """The JSON lines that a peer prints, and what it said where it failed."""
    env = {**os.environ, "PYTHONPATH": str(HERE.resolve()), "PYTHONDONTWRITEBYTECODE": "1"}
    with open(folder / "errors.txt", "w") as errors:
        done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=errors, timeout=LONGEST_RUN)
    lines = done.stdout.decode().splitlines()
    messages = [json.loads(line) for line in lines if line.startswith("{")]
    tail = [*lines[-3:], *(folder / "errors.txt").read_text().splitlines()[-12:]]
    return messages, done.returncode and "\n".join(line[:400] for line in tail)


def write(folder, name, value):
    path = folder / name
    path.write_text(json.dumps(value))
    return str(path)


class Airbyte:
    name = "airbyte"

    def __init__(self, venv, folder):
        credentials = {"credentials_title": "Private App Credentials", "access_token": TOKEN}
        config = {"credentials": credentials, "start_date": "2006-06-01T00:00:00Z"}
        self.folder = folder
        self.command = [f"{venv}/bin/source-hubspot"]
        self.config = ["--config", write(folder, "config.json", config)]

    def check(self):
        messages, failed = run(self.folder, [*self.command, "check", *self.config])
        status = [message["connectionStatus"] for message in messages if message["type"] == "CONNECTION_STATUS"]
        return failed or [each for each in status if each["status"] != "SUCCEEDED"]

    def discover(self):
        messages, failed = run(self.folder, [*self.command, "discover", *self.config])
        found = [message["catalog"]["streams"] for message in messages if message["type"] == "CATALOG"]
        return {stream["name"]: stream for stream in (found[0] if found else [])}, failed

    def read(self, stream):
        configured = {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        catalog = write(self.folder, "catalog.json", {"streams": [configured]})
        messages, failed = run(self.folder, [*self.command, "read", *self.config, "--catalog", catalog])
        return [message["record"]["data"] for message in messages if message["type"] == "RECORD"], failed


class Singer:
    """A Singer tap; `check` is what `discover` does."""

    def __init__(self, name, venv, folder, config):
        self.name = name
        self.folder = folder
        self.command = [f"{venv}/bin/tap-hubspot", "--config", write(folder, "config.json", config)]

    def check(self):
        return run(self.folder, [*self.command, "--discover"])[1]

    def discover(self):
        env = {**os.environ, "PYTHONPATH": str(HERE.resolve()), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [*self.command, "--discover"], cwd=self.folder, env=env, capture_output=True, timeout=LONGEST_RUN
        )
        if done.returncode:
            return {}, done.stderr.decode()[-2000:]
        streams = json.loads(done.stdout)["streams"]
        return {stream["tap_stream_id"]: stream for stream in streams}, None

    def read(self, stream):
        for each in stream["metadata"]:
            each["metadata"]["selected"] = True
        catalog = write(self.folder, "catalog.json", {"streams": [stream]})
        messages, failed = run(self.folder, [*self.command, "--catalog", catalog])
        name = stream["tap_stream_id"]
        records = [each for each in messages if each["type"] == "RECORD" and each["stream"] == name]
        return [each["record"] for each in records], failed


def verdict(peer, name, stream):
    """What is wrong with a stream, and what was read of it."""
    rows, failed = peer.read(stream)
    if failed:
        return f"failed:\n{failed}", len(rows)
    wanted = truth(name)
    read = {id_of(row) for row in rows}
    if wanted is not None and read != wanted:
        missing, extra = wanted - read, read - wanted
        return f"{len(missing)} ids are missing, {len(extra)} are too many: {[*missing][:3]} {[*extra][:3]}", len(rows)
    return None, len(rows)


def suite(peer):
    start = time.monotonic()
    problem = peer.check()
    streams, failed = peer.discover()
    print(f"{peer.name}: check {problem or 'ok'}; discover lists {len(streams)} streams {failed or ''}", flush=True)
    right = not problem and not failed and bool(streams)
    for name, stream in streams.items():
        wrong, rows = verdict(peer, name, stream)
        reason = KNOWN.get((peer.name, name))
        right &= bool(wrong) == bool(reason)
        said = f"known fault of the peer: {reason}" if wrong and reason else wrong or "ok"
        if reason and not wrong:
            said = f"is read now; take it out of KNOWN ({reason})"
        compared = "compared" if truth(name) is not None else "no truth of that name"
        print(f"{peer.name}: {name}: {rows} rows, {compared}: {said}", flush=True)
    print(f"{peer.name}: {time.monotonic() - start:.0f} s", flush=True)
    return right


def peers(venvs, folder):
    start = "2006-06-01T00:00:00Z"
    airbyte, meltano, singer = (pathlib.Path(venv).resolve() for venv in venvs)
    oauth = {"redirect_uri": "", "client_id": "", "client_secret": "", "refresh_token": ""}
    made = [("airbyte", airbyte), ("meltano", meltano), ("singer", singer)]
    folders = {name: folder / name for name, _ in made}
    for own in folders.values():
        own.mkdir()
    return [
        Airbyte(airbyte, folders["airbyte"]),
        Singer("meltano", meltano, folders["meltano"], {"access_token": TOKEN, "start_date": start}),
        Singer("singer", singer, folders["singer"], {**oauth, "api_key": TOKEN, "start_date": start}),
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        results = [suite(peer) for peer in peers(sys.argv[1:4], pathlib.Path(folder))]
    sys.exit(0 if all(results) else 1)
