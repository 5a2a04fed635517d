"""Upserts into a Pro account, side by side: `spoke upsert`, and a loop over HubSpot's official client that makes one
call a record, as most scripts do.

Arguments: the `spoke` program, the number of rows for it, the number of rows for the loop. Each gets an account of its
own, with Pro's limits. Prints one JSON object a line.
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from hubspot import HubSpot
from hubspot.crm.contacts import ApiException, SimplePublicObjectInputForCreate

TOKEN = "pat-na1-00000000-0000-4000-8000-000000000000"
# What a Pro account may call in ten seconds.
PERMITTED = 190


@contextmanager
def account(spoke):
    arguments = [spoke, "emulate", "--listen", "127.0.0.1:0", "--tier", "pro", "--contacts", "0", "--token", TOKEN]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip().removeprefix("listening on ")
    finally:
        process.kill()
        process.wait()


def row(n):
    return {"email": f"person{n}@example.com", "firstname": f"P{n}", "lastname": "Example", "city": "Bonn"}


def requests(url):
    with urllib.request.urlopen(f"{url}/_emulator/requests") as answer:
        return json.load(answer)


def report(name, rows, seconds, url):
    made = requests(url)
    # So many calls cannot be made in less time than this.
    least = (made["total"] - 1) // PERMITTED * 10
    print(json.dumps({
        "name": name,
        "rows": rows,
        "calls": made["total"],
        "allowed_calls": rows // 100 + 20,
        "answers_429": made["rateLimited"],
        "seconds": round(seconds, 1),
        "share_of_permitted_rate": round(least / seconds, 3) if least else None,
        "records_per_second": round(rows / seconds, 1),
    }), flush=True)


def with_spoke(spoke, rows):
    with account(spoke) as url, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "people.ndjson"
        with file.open("w") as out:
            out.writelines(json.dumps(row(n)) + "\n" for n in range(rows))
        env = {"HUBSPOT_ACCESS_TOKEN": TOKEN, "HUBSPOT_BASE_URL": url}
        started = time.monotonic()
        subprocess.run([spoke, "upsert", "contacts", "--from", file], check=True, env=env, cwd=folder)
        report("spoke upsert", rows, time.monotonic() - started, url)


def with_client(spoke, rows):
    with account(spoke) as url:
        client = HubSpot(access_token=TOKEN, host=url, base_url=url)
        started = time.monotonic()
        for n in range(rows):
            write_one(client, row(n))
        report("official client, one call a record", rows, time.monotonic() - started, url)


def write_one(client, properties):
    create = SimplePublicObjectInputForCreate(properties=properties)
    while True:
        try:
            client.crm.contacts.basic_api.create(simple_public_object_input_for_create=create)
            return
        except ApiException as error:
            if error.status != 429:
                raise
            time.sleep(1)


if __name__ == "__main__":
    spoke, rows, single = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with_spoke(spoke, rows)
    with_client(spoke, single)
