"""hubspot-api-client 12 against the emulator: the numbered paths, v3 and v4."""

import itertools

import pytest
from hubspot.crm import companies, contacts, deals
from hubspot.crm.associations import v4


def objects(classic, kind):
    return getattr(classic.crm, kind)


KINDS = ["contacts", "companies", "deals"]
MODULES = {"contacts": contacts, "companies": companies, "deals": deals}
NAMES = {"contacts": "lastname", "companies": "name", "deals": "dealname"}


def new_properties(kind, name):
    more = {"deals": {"pipeline": "default", "dealstage": "closedwon"}}.get(kind, {})
    return {NAMES[kind]: name, **more}


def create(classic, kind, name):
    model = MODULES[kind].SimplePublicObjectInputForCreate(properties=new_properties(kind, name), associations=[])
    return objects(classic, kind).basic_api.create(model)


@pytest.mark.parametrize("kind", KINDS)
def test_pages_follow_each_other(classic, kind):
    api = objects(classic, kind).basic_api
    first = api.get_page(limit=10)
    second = api.get_page(limit=10, after=first.paging.next.after)
    ids = [int(record.id) for record in first.results + second.results]
    assert len(ids) == 20 and ids == sorted(set(ids))
    assert first.results[0].created_at.tzinfo is not None


def test_get_all_walks_everything(classic):
    records = classic.crm.deals.get_all(properties=["dealname"])
    page = classic.crm.deals.search_api.do_search(deals.PublicObjectSearchRequest(limit=1))
    assert len(records) == page.total


@pytest.mark.parametrize("kind", KINDS)
def test_one_record_is_read_with_associations(classic, kind):
    other = "contacts" if kind == "companies" else "companies"
    page = objects(classic, kind).basic_api.get_page(limit=100, associations=[other])
    linked = next(record for record in page.results if record.associations)
    again = objects(classic, kind).basic_api.get_by_id(linked.id, associations=[other], archived=False)
    assert again.associations[other].results[0].id == linked.associations[other].results[0].id


@pytest.mark.parametrize("kind", KINDS)
def test_create_update_archive(classic, kind, name):
    api = objects(classic, kind).basic_api
    created = create(classic, kind, name)
    assert created.properties[NAMES[kind]] == name
    changed = MODULES[kind].SimplePublicObjectInput(properties={NAMES[kind]: name + " changed"})
    assert api.update(created.id, changed).properties[NAMES[kind]] == name + " changed"
    api.archive(created.id)
    with pytest.raises(MODULES[kind].exceptions.ApiException) as gone:
        api.get_by_id(created.id)
    assert gone.value.status == 404
    assert api.get_by_id(created.id, archived=True).archived


@pytest.mark.parametrize("kind", KINDS)
def test_search_finds_what_was_created(classic, kind, name):
    created = create(classic, kind, name)
    module = MODULES[kind]
    condition = module.Filter(property_name=NAMES[kind], operator="EQ", value=name)
    request = module.PublicObjectSearchRequest(
        filter_groups=[module.FilterGroup(filters=[condition])],
        sorts=[{"propertyName": "createdate", "direction": "DESCENDING"}],
        properties=[NAMES[kind]],
        limit=10,
    )
    found = objects(classic, kind).search_api.do_search(request)
    assert (found.total, found.results[0].id) == (1, created.id)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_read_with_missing_ids_is_207(classic, kind):
    module = MODULES[kind]
    known = [record.id for record in objects(classic, kind).basic_api.get_page(limit=3).results]
    request = module.BatchReadInputSimplePublicObjectId(
        properties=["hs_object_id"],
        properties_with_history=[],
        inputs=[module.SimplePublicObjectId(id=id) for id in [*known, "999999999"]],
    )
    answer = objects(classic, kind).batch_api.read(request)
    assert type(answer).__name__ == "BatchResponseSimplePublicObjectWithErrors"
    assert {record.id for record in answer.results} == set(known)
    assert answer.errors[0].context["ids"] == ["999999999"]


def test_a_second_contact_with_the_address_is_a_conflict(classic, email):
    model = contacts.SimplePublicObjectInputForCreate(properties={"email": email}, associations=[])
    created = classic.crm.contacts.basic_api.create(model)
    with pytest.raises(contacts.exceptions.ApiException) as conflict:
        classic.crm.contacts.basic_api.create(model)
    assert conflict.value.status == 409
    assert f"Existing ID: {created.id}" in conflict.value.body


def test_a_bad_value_names_its_property(classic):
    model = contacts.SimplePublicObjectInputForCreate(properties={"email": "nonsense"}, associations=[])
    with pytest.raises(contacts.exceptions.ApiException) as refused:
        classic.crm.contacts.basic_api.create(model)
    assert refused.value.status == 400
    assert "INVALID_EMAIL" in refused.value.body


def test_properties_are_defined(classic):
    properties = classic.crm.properties.core_api.get_all("contacts").results
    by_name = {definition.name: definition for definition in properties}
    assert len(by_name) >= 150
    assert by_name["lifecyclestage"].options[0].value == "subscriber"
    assert classic.crm.properties.core_api.get_by_name("deals", "amount").type == "number"


def test_owners_are_paged(classic):
    page = classic.crm.owners.owners_api.get_page(limit=5)
    assert len(page.results) == 5 and page.paging.next.after
    owner = classic.crm.owners.owners_api.get_by_id(owner_id=int(page.results[0].id))
    assert owner.email == page.results[0].email


def test_pipelines_have_stages(classic):
    pipelines = classic.crm.pipelines.pipelines_api.get_all("deals").results
    assert pipelines[0].id == "default"
    assert [stage.id for stage in pipelines[0].stages][-1] == "closedlost"
    assert pipelines[0].stages[0].metadata["probability"] == "0.2"


def test_associations_v4_are_read_in_batches(classic):
    ids = [record.id for record in classic.crm.deals.basic_api.get_page(limit=100).results]
    request = v4.BatchInputPublicFetchAssociationsBatchRequest(
        inputs=[v4.PublicFetchAssociationsBatchRequest(id=id) for id in [*ids, "999999999"]]
    )
    answer = classic.crm.associations.v4.batch_api.get_page("deals", "companies", request)
    assert type(answer).__name__.endswith("WithErrors")
    kinds = itertools.chain.from_iterable(link.association_types for result in answer.results for link in result.to)
    assert {(kind.type_id, kind.label) for kind in kinds} == {(341, None), (5, "Primary")}
    assert any("999999999" in error.context["fromObjectId"] for error in answer.errors)


def test_a_pair_is_linked_and_unlinked(classic, name):
    contact = create(classic, "contacts", name)
    company = create(classic, "companies", name)
    api = classic.crm.associations.v4.basic_api
    api.create_default("contacts", contact.id, "companies", company.id)
    linked = api.get_page("contacts", contact.id, "companies").results
    assert [str(link.to_object_id) for link in linked] == [company.id]
    api.archive("contacts", contact.id, "companies", company.id)
    assert api.get_page("contacts", contact.id, "companies").results == []


def test_a_raw_request_goes_to_the_emulator(classic):
    answer = classic.api_request({"path": "/account-info/v3/details"})
    assert answer.json()["portalId"] > 0


def test_a_wrong_token_is_refused(url):
    from hubspot import HubSpot

    stranger = HubSpot(access_token="nonsense", host=url, base_url=url)
    with pytest.raises(contacts.exceptions.ApiException) as refused:
        stranger.crm.contacts.basic_api.get_page()
    assert refused.value.status == 401
