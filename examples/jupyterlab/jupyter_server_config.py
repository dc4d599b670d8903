"""JupyterLab behind Session Guard: who is asking stands in a header, and nobody else can set it."""

import os
from urllib.parse import unquote

from jupyter_server.auth.identity import IdentityProvider, User

c = get_config()  # noqa: F821


class GuardIdentity(IdentityProvider):
    """The user of the guard's identity headers; without them, nobody."""

    def get_user(self, handler):
        headers = handler.request.headers
        name = headers.get("X-Auth-Request-User")
        if not name:
            return None
        shown = headers.get("X-Auth-Request-Claim-name", name)
        return User(username=unquote(name), display_name=unquote(shown))


c.ServerApp.identity_provider_class = GuardIdentity
# Jupyter's own token: the guard has checked already, and it would only be a second way in.
c.IdentityProvider.token = ""
# Only the guard reaches this address.
c.ServerApp.ip = "127.0.0.1"
# Pages are the guard's to the browser, and requests come for the origin's own host. So Jupyter is
# told whose pages may open kernels: scheme and host of the address in the browser's bar.
c.ServerApp.allow_origin = os.environ["SITE"]
c.ServerApp.open_browser = False
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
