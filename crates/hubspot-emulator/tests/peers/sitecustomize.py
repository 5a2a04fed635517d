"""Python runs this at start-up when its folder is in PYTHONPATH: calls to HubSpot go to the emulator instead.

Neither peer has a setting for the address, so `requests` is redirected under them; nothing else is changed.
"""

import os
from urllib.parse import urlsplit, urlunsplit


def redirect(address):
    import requests

    there = urlsplit(address)
    send = requests.Session.send

    def redirected(self, request, **options):
        url = urlsplit(request.url)
        if url.hostname == "api.hubapi.com":
            request.url = urlunsplit((there.scheme, there.netloc, url.path, url.query, ""))
        return send(self, request, **options)

    requests.Session.send = redirected


try:
    redirect(os.environ["SPOKE_EMULATOR_URL"])
except (ImportError, KeyError):
    # The interpreter is not a peer's: an installer, or this folder in somebody's path by accident.
    pass
