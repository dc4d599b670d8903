"""The site: who is asking, and its paths."""

from urllib.parse import unquote

from django.contrib import admin
from django.contrib.auth import logout
from django.contrib.auth.backends import RemoteUserBackend
from django.contrib.auth.middleware import RemoteUserMiddleware
from django.http import HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_POST


class GuardMiddleware(RemoteUserMiddleware):
    """Logs in whom the guard names; without the header, nobody is logged in."""

    header = "HTTP_X_AUTH_REQUEST_USER"


class GuardBackend(RemoteUserBackend):
    """Knows people by the guard's `sub`, and the board as administrators."""

    def clean_username(self, username):
        return unquote(username)

    def configure_user(self, request, user, created=True):
        groups = [unquote(name) for name in request.META.get("HTTP_X_AUTH_REQUEST_GROUPS", "").split(",")]
        user.first_name = unquote(request.META.get("HTTP_X_AUTH_REQUEST_CLAIM_NAME", ""))
        user.is_staff = "member" in groups
        user.is_superuser = "board" in groups
        user.save()
        return user


@require_POST
def log_out(request):
    """Django's session ends here, and the guard's by the header: else the next request would be logged in again."""
    logout(request)
    return HttpResponseRedirect("/admin/", headers={"X-Guard-Logout": "true"})


urlpatterns = [path("admin/logout/", log_out), path("admin/", admin.site.urls)]
