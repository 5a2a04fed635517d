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

    finish_models()
    return HubSpot(access_token=token, base_url=url)


def finish_models():
    """Resolves the models that name other ones before these are defined.

    The client itself leaves that to the first use, reads the first answer of each kind as a plain dict, and then warns of the
    dict: of every list of `crm.lists`, whatever the list holds.
    """
    import hubspot_sdk.types.crm
    from hubspot_sdk import BaseModel

    for model in vars(hubspot_sdk.types.crm).values():
        if isinstance(model, type) and issubclass(model, BaseModel) and not model.__pydantic_fields_complete__:
            model.model_rebuild()


@pytest.fixture
def email():
    return f"parity.{uuid.uuid4().hex}@example.com"


@pytest.fixture
def name():
    return f"Parity {uuid.uuid4().hex}"
