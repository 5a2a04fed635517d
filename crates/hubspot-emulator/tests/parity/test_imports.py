"""Imports by both clients: a file goes up, its rows become records, and what was wrong with it comes back."""

import json
import time
import urllib.request

COLUMNS = [("email", "HUBSPOT_ALTERNATE_ID"), ("firstname", "STANDARD"), ("discount_rate", "STANDARD")]


def request(name):
    mappings = [
        {"columnObjectTypeId": "0-1", "columnName": column, "propertyName": column, "columnType": kind}
        for column, kind in COLUMNS
    ]
    page = {"hasHeader": True, "columnMappings": mappings}
    files = [{"fileName": "contacts.csv", "fileFormat": "CSV", "fileImportPage": page}]
    return json.dumps({"name": name, "importOperations": {"0-1": "UPSERT"}, "files": files})


def content(email):
    return f"email,firstname,discount_rate\n{email},Ann,1\nwrong,Bob,2\nc{email},Cid,much\n"


def wait(get, url):
    """The clock of the emulator goes on by itself; a push saves the wait."""
    for _ in range(20):
        urllib.request.urlopen(f"{url}/_emulator/clock", data=b'{"advance": "1s"}', timeout=10).close()
        done = get()
        if done.state == "DONE":
            return done
        time.sleep(0.05)
    raise AssertionError(f"still {done.state}")


def test_the_classic_client_imports(classic, url, name, email, tmp_path):
    api = classic.crm.imports.core_api
    file = tmp_path / "contacts.csv"
    file.write_text(content(email))
    started = api.create(files=str(file), import_request=request(name))
    assert started.state == "STARTED" and started.import_source == "API"
    done = wait(lambda: api.get_by_id(started.id), url)
    assert done.metadata.counters["CREATED_OBJECTS"] == 2
    errors = classic.crm.imports.public_imports_api.get_errors(started.id, include_row_data=True).results
    assert [(error.source_data.line_number, error.error_type) for error in errors] == [
        (3, "INVALID_EMAIL"),
        (4, "COULD_NOT_PARSE_NUMBER"),
    ]
    assert errors[1].known_column_number == 2 and errors[1].source_data.row_data[1] == "Cid"
    assert api.get_page(limit=1).results[0].import_name == name
    found = classic.crm.contacts.basic_api.get_by_id(email, id_property="email", properties=["firstname"])
    assert found.properties["firstname"] == "Ann"


def test_the_dated_client_imports_and_cancels(dated, url, name, email):
    api = dated.crm.imports
    upload = ("contacts.csv", content(email).encode(), "text/csv")
    started = api.create(files=upload, import_request=request(name))
    assert started.state == "STARTED" and started.mapped_object_type_ids == ["0-1"]
    done = wait(lambda: api.get(started.id), url)
    assert done.metadata.counters["TOTAL_ROWS"] == 3
    errors = list(api.list_errors(started.id, limit=1))
    assert [error.error_type for error in errors] == ["INVALID_EMAIL", "COULD_NOT_PARSE_NUMBER"]
    again = api.create(files=upload, import_request=request(name))
    assert api.cancel(again.id).status == "COMPLETE"
    assert api.get(again.id).state == "CANCELED"
