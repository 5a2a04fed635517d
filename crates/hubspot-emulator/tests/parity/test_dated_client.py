"""hubspot-sdk 0.1.0a9 against the emulator: the 2026-03 paths, deals at `0-3`."""

import hubspot_sdk
import pytest

KINDS = ["contacts", "companies", "deals"]
NAMES = {"contacts": "lastname", "companies": "name", "deals": "dealname"}


def objects(dated, kind):
    return getattr(dated.crm.objects, kind)


def new_properties(kind, name):
    more = {"deals": {"pipeline": "default", "dealstage": "closedwon"}}.get(kind, {})
    return {NAMES[kind]: name, **more}


def search(dated, kind, value):
    condition = {"property_name": NAMES[kind], "operator": "EQ", "value": value}
    return objects(dated, kind).search(
        filter_groups=[{"filters": [condition]}], sorts=["-createdate"], properties=[NAMES[kind]], limit=10, after="0"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_client_pages_by_itself(dated, kind):
    ids = []
    for record in objects(dated, kind).list(limit=50, properties=["hs_object_id"]):
        ids.append(int(record.id))
        if len(ids) == 120:
            break
    assert len(ids) == 120 and ids == sorted(set(ids))


@pytest.mark.parametrize("kind", KINDS)
def test_create_get_update_archive(dated, kind, name):
    api = objects(dated, kind)
    created = api.create(properties=new_properties(kind, name), associations=[])
    assert api.get(created.id, properties=[NAMES[kind]]).properties[NAMES[kind]] == name
    assert api.update(created.id, properties={NAMES[kind]: name + "!"}).properties[NAMES[kind]] == name + "!"
    api.delete(created.id)
    with pytest.raises(hubspot_sdk.NotFoundError):
        api.get(created.id)


@pytest.mark.parametrize("kind", KINDS)
def test_search_finds_what_was_created(dated, kind, name):
    created = objects(dated, kind).create(properties=new_properties(kind, name), associations=[])
    found = search(dated, kind, name)
    assert (found.total, found.results[0].id) == (1, created.id)


@pytest.mark.parametrize("kind", KINDS)
def test_batches(dated, kind, name):
    batch = objects(dated, kind).batch
    inputs = [{"properties": new_properties(kind, f"{name} {at}"), "associations": []} for at in range(3)]
    created = batch.create(inputs=inputs)
    ids = [{"id": record.id} for record in created.results]
    assert len(ids) == 3
    read = batch.get(inputs=[*ids, {"id": "999999999"}], properties=[NAMES[kind]], properties_with_history=[])
    assert {record.id for record in read.results} == {input["id"] for input in ids}
    batch.update(inputs=[{**input, "properties": {NAMES[kind]: name}} for input in ids])
    assert search(dated, kind, name).total == 3
    batch.delete(inputs=ids)
    assert search(dated, kind, name).total == 0


def test_a_bad_value_is_a_bad_request(dated):
    with pytest.raises(hubspot_sdk.BadRequestError) as refused:
        dated.crm.objects.contacts.create(properties={"email": "nonsense"}, associations=[])
    assert refused.value.body["category"] == "VALIDATION_ERROR"


def test_a_wrong_token_is_refused(url):
    stranger = hubspot_sdk.HubSpot(access_token="nonsense", base_url=url, max_retries=0)
    with pytest.raises(hubspot_sdk.AuthenticationError):
        stranger.crm.objects.contacts.list()


def test_properties_owners_and_pipelines(dated):
    properties = dated.crm.properties.list("contacts").results
    assert len(properties) >= 150
    owners = dated.crm.owners.list(limit=5).results
    assert len(owners) == 5
    pipelines = dated.crm.pipelines.list("0-3").results
    assert pipelines[0].id == "default"
