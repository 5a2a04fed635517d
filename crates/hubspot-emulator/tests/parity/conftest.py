"""Where the emulator is, and both clients for it."""

import os
import uuid

import pytest

DEFAULT_TOKEN = "pat-na1-00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="session")
def url():
    url = os.environ.get("SPOKE_EMULATOR_URL")
    if not url:
        pytest.skip("set SPOKE_EMULATOR_URL to where the emulator listens, such as http://127.0.0.1:8400")
    return url


@pytest.fixture(scope="session")
def token():
    return os.environ.get("SPOKE_EMULATOR_TOKEN", DEFAULT_TOKEN)


@pytest.fixture(scope="session")
def classic(url, token):
    """hubspot-api-client: the numbered paths."""
    from hubspot import HubSpot

    return HubSpot(access_token=token, host=url, base_url=url)


@pytest.fixture(scope="session")
def dated(url, token):
    """hubspot-sdk: the 2026-03 paths."""
    from hubspot_sdk import HubSpot

    return HubSpot(access_token=token, base_url=url)


@pytest.fixture
def email():
    return f"parity.{uuid.uuid4().hex}@example.com"


@pytest.fixture
def name():
    return f"Parity {uuid.uuid4().hex}"
