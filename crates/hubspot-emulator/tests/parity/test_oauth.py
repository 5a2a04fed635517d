"""An app's way through OAuth with both Python clients. It needs the approval page, so it is no line of a table."""

import json
import urllib.parse
import urllib.request
import uuid

import pytest

BACK = "http://127.0.0.1:9/back"
SCOPES = "oauth crm.objects.contacts.read"


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def submit(url, body, kind):
    request = urllib.request.Request(url, data=body.encode(), headers={"Content-Type": kind})
    try:
        return urllib.request.build_opener(Stay).open(request).headers
    except urllib.error.HTTPError as redirect:
        assert redirect.code == 302, redirect.read()
        return redirect.headers


@pytest.fixture
def app(url):
    app = {"clientId": uuid.uuid4().hex, "clientSecret": "s3cret"}
    submit(f"{url}/_emulator/apps", json.dumps(app), "application/json")
    return {"client_id": app["clientId"], "client_secret": app["clientSecret"]}


@pytest.fixture
def code(url, app):
    """What the approval page sends the browser back with."""
    asked = {"client_id": app["client_id"], "redirect_uri": BACK, "scope": SCOPES}
    form = urllib.parse.urlencode(asked)
    location = submit(f"{url}/oauth/authorize", form, "application/x-www-form-urlencoded")["location"]
    return urllib.parse.parse_qs(urllib.parse.urlparse(location).query)["code"][0]


def test_the_classic_client_gets_uses_refreshes_and_forgets_a_token(url, app, code):
    from hubspot import HubSpot
    from hubspot.oauth.exceptions import ApiException

    client = HubSpot(host=url)
    first = client.oauth.tokens_api.create(grant_type="authorization_code", code=code, redirect_uri=BACK, **app)
    assert first.expires_in == 1800
    facts = client.oauth.access_tokens_api.get(first.access_token)
    assert facts.scopes == SCOPES.split()
    again = client.oauth.tokens_api.create(grant_type="refresh_token", refresh_token=first.refresh_token, **app)
    assert HubSpot(access_token=again.access_token, host=url).crm.contacts.basic_api.get_page(limit=1).results
    assert client.oauth.refresh_tokens_api.get(first.refresh_token).client_id == app["client_id"]
    client.oauth.refresh_tokens_api.archive(first.refresh_token)
    with pytest.raises(ApiException) as refused:
        client.oauth.tokens_api.create(grant_type="refresh_token", refresh_token=first.refresh_token, **app)
    assert refused.value.status == 400


def test_the_dated_client_gets_introspects_and_revokes_a_token(url, app, code):
    from hubspot_sdk import BadRequestError, HubSpot

    oauth = HubSpot(access_token="none", base_url=url).auth.oauth
    first = oauth.create_token(grant_type="authorization_code", code=code, redirect_uri=BACK, **app)
    assert first.expires_in == 1800
    facts = oauth.introspect_token(token=first.access_token, **app)
    assert facts.active and facts.scopes == SCOPES.split()
    assert HubSpot(access_token=first.access_token, base_url=url).crm.objects.contacts.list(limit=1).results
    oauth.revoke_token(token=first.refresh_token, **app)
    with pytest.raises(BadRequestError):
        oauth.create_token(grant_type="refresh_token", refresh_token=first.refresh_token, **app)
