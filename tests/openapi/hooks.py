"""What a description cannot say: who is logged in, and what proves it.

Each request gets a session of its own, because some of them end it. Requests that are meant to be
good carry names and tokens that are, and most of the logins good credentials. All else is left as it
was generated.
"""

import base64
import json
import os
from datetime import date
from itertools import count, cycle
from urllib.request import Request, urlopen

import schemathesis

GUARD = os.environ["GUARD_URL"]
ISSUER = os.environ["ISSUER_URL"]
PASSWORD = os.environ["PASSWORD"]
KEY = os.environ["ADMIN_API_KEY"]
PROXY_KEY = os.environ["FORWARD_AUTH_KEY"]
# A token for every request, where nobody can log in.
TOKEN = os.environ.get("TOKEN")
COOKIE = "__Host-session"

# What only the key may do: mostly, it does.
KEY_ALONE = ["adminBegin", "adminChange", "adminChangeUser"]

numbers = count()
backends = count()
# Users that the origin says more about: see tests/docs/openapi.spec.ts.
users = cycle(["somebody", "asked", "denied", "somebody", "large", "unusable"])


def is_positive(case):
    return case.meta is None or case.meta.generation.mode.is_positive


def log_in(username):
    body = json.dumps({"username": username, "password": PASSWORD}).encode()
    request = Request(f"{GUARD}/_auth/login", body, {"content-type": "application/json"})
    with urlopen(request) as answer:
        return json.load(answer)


def issued(what):
    """A fresh token of the trusted issuer's."""
    with urlopen(f"{ISSUER}/{what}") as answer:
        return answer.read().decode()


def schemes(context):
    """The ways to show who one is, in this operation."""
    return [name for way in context.operation.definition.raw["security"] for name in way]


@schemathesis.auth(refresh_interval=None, retry_on=[]).apply_to(schemes)
class Credentials:
    """Each of the ways by turns. Where there is a key, and in the console, tokens are an admin's by turns."""

    def get(self, case, context):
        ways = schemes(context)
        number = next(numbers)
        if number % 8 and case.operation.definition.raw["operationId"] in KEY_ALONE:
            ways = [way for way in ways if way.startswith("adminKey")]
        way = ways[number % len(ways)]
        if way == "proxyKey":
            return way, PROXY_KEY
        if way.startswith("adminKey"):
            # What only the key may do would find nothing to do it to.
            if is_positive(case) and not TOKEN and case.operation.definition.raw["operationId"] == "adminChange":
                name_session(case, f"user-{number}")
            return way, KEY
        is_admins = case.operation.definition.raw["operationId"].startswith(("admin", "console"))
        user = "admin" if is_admins and number % 3 else f"user-{number}"
        if is_positive(case) and not TOKEN:
            name_session(case, user)
        return way, TOKEN or log_in(user)["access_token"]

    def set(self, case, data, context):
        way, credential = data
        case.headers.pop("Authorization", None)
        case.cookies.pop(COOKIE, None)
        match way:
            case "proxyKey":
                case.headers["X-Guard-Proxy-Key"] = credential
            case "cookie":
                case.cookies[COOKIE] = credential
                case.headers["Sec-Fetch-Site"] = "same-origin"
            case "adminKeyAsPassword":
                pair = base64.b64encode(f"service:{credential}".encode()).decode()
                case.headers["Authorization"] = f"Basic {pair}"
            case _:
                case.headers["Authorization"] = f"Bearer {credential}"


def name_session(case, user):
    """Puts a session that there is in the place of one that there is not."""
    if "sid" in case.path_parameters:
        case.path_parameters["sid"] = log_in(user)["session"]["sid"]
    if "sub" in case.path_parameters:
        case.path_parameters["sub"] = user


@schemathesis.hook
def map_case(context, case):
    operation = case.operation.definition.raw["operationId"]
    if operation == "events":
        case.headers.pop("Upgrade", None)
    if not is_positive(case):
        return case
    if "name" in case.path_parameters:
        case.path_parameters["name"] = "google"
    if "cursor" in case.query:
        case.query["cursor"] = "index." if operation in ("adminMove", "adminExport") else base64.urlsafe_b64encode(b"m-001").decode().rstrip("=")
    if operation == "adminBlock":
        # Nobody else, or other requests would find the user blocked.
        case.path_parameters["sub"] = "blocked"
    if operation == "adminImport":
        case.body = '{"cursor":"kept."}\n'
    if not isinstance(case.body, dict):
        return case
    body = case.body
    match operation:
        case "backchannelLogout":
            body["logout_token"] = issued("logout-token")
        case "introspect" | "revoke" if not TOKEN:
            body["token"] = log_in("introspected")["access_token"]
        case "adminBegin":
            body.update({name: "15 minutes" for name in body if name == "session_ttl"})
            # Mostly a user of nobody else's, with a limit that is one.
            if next(backends) % 4:
                body.pop("issuer", None)
                body.update({name: 3 for name in body if name == "session_limit"})
        case "adminEndMany":
            good = {"idle_longer_than": "30 days", "created_before": "2026-11-26T12:05:00Z", "cursor": "bS0wMDE"}
            body.update({name: good[name] for name in body if name in good})
        case "adminBlock":
            # Moments to come, and durations.
            good = {"until": f"{date.today().year + 1}-01-01T00:00:00Z", "for": "30 days"}
            body.update({name: good[name] for name in body if name in good})
        case "login" if next(numbers) % 4 == 0:
            pass
        case "login" if "id_token" in body:
            body["id_token"] = issued("id-token")
            body.pop("nonce", None)
        case "login":
            body["username"], body["password"] = next(users), PASSWORD
    return case


@schemathesis.serializer("application/jsonl")
def lines(context, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.deserializer("text/html", "text/css", "text/javascript", "application/jsonl")
def text(context, response):
    return response.content.decode()
