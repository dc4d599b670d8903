"""What a description cannot say: who is logged in, and what proves it.

Each request gets a session of its own, because some of them end it. Requests that are meant to be
good carry names and tokens that are, and half of the logins good credentials. All else is left as it
was generated.
"""

import json
import os
from itertools import count, cycle
from urllib.request import Request, urlopen

import schemathesis

GUARD = os.environ["GUARD_URL"]
ISSUER = os.environ["ISSUER_URL"]
PASSWORD = os.environ["PASSWORD"]
# A token for every request, where nobody can log in.
TOKEN = os.environ.get("TOKEN")
COOKIE = "__Host-session"

numbers = count()
# Users that the origin says more about: see tests/openapi.spec.ts.
users = cycle(["somebody", "asked", "denied", "somebody", "large", "unusable"])


def is_positive(case):
    return case.meta is None or case.meta.generation.mode.is_positive


def log_in(username):
    body = json.dumps({"username": username, "password": PASSWORD}).encode()
    request = Request(f"{GUARD}/auth/login", body, {"content-type": "application/json"})
    with urlopen(request) as answer:
        return json.load(answer)


def issued(what):
    """A fresh token of the trusted issuer's."""
    with urlopen(f"{ISSUER}/{what}") as answer:
        return answer.read().decode()


def needs_session(context):
    return bool(context.operation.definition.raw["security"])


@schemathesis.auth(refresh_interval=None, retry_on=[]).apply_to(needs_session)
class Sessions:
    """Bearer tokens and cookies by turns."""

    def get(self, case, context):
        number = next(numbers)
        if TOKEN:
            return TOKEN, number % 2 == 0
        user = f"user-{number}"
        if "sid" in case.path_parameters and is_positive(case):
            case.path_parameters["sid"] = log_in(user)["session"]["sid"]
        return log_in(user)["access_token"], number % 2 == 0

    def set(self, case, data, context):
        token, in_cookie = data
        case.headers.pop("Authorization", None)
        case.cookies.pop(COOKIE, None)
        if in_cookie:
            case.cookies[COOKIE] = token
            case.headers["Sec-Fetch-Site"] = "same-origin"
        else:
            case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def map_case(context, case):
    if not is_positive(case) or not isinstance(case.body, dict):
        return case
    body = case.body
    match case.operation.definition.raw["operationId"]:
        case "backchannelLogout":
            body["logout_token"] = issued("logout-token")
        case "login" if next(numbers) % 2:
            pass
        case "login" if "id_token" in body:
            body["id_token"] = issued("id-token")
            body.pop("nonce", None)
        case "login":
            body["username"], body["password"] = next(users), PASSWORD
    return case


@schemathesis.deserializer("text/html", "text/css")
def text(context, response):
    return response.content.decode()
