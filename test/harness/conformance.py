"""Holds every answer that a test sees to the description that the service itself serves."""

import http.client
import json
import re
import urllib.parse

import jsonschema

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
# Given before any route is asked, so described once for all routes (info.description).
BY_TRANSPORT = {"bad-request", "request-timeout", "body-too-large", "expectation-failed", "head-too-large", "not-implemented",
                "version-not-supported"}
# What HTTP itself knows; all other headers must be described.
COMMON_HEADERS = {"allow", "cache-control", "connection", "content-length", "content-security-policy", "content-type", "date",
                  "referrer-policy", "transfer-encoding", "vary", "x-content-type-options", "access-control-allow-origin",
                  "access-control-allow-methods", "access-control-allow-headers", "access-control-expose-headers",
                  "access-control-max-age"}
# Not of the API, so not described: a client that is generated from the description has no use for them.
PAGES = re.compile(r"/|/console\.(js|css)|/docs(\.js|\.css)?|/problems(/[a-z-]+)?|/metrics|/openapi\.json")
INSTANCE = re.compile(rb'"/v1/requests/[0-9a-f]{32}"')
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time")
def is_date_time(text):
    return not isinstance(text, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\dt\d\d:\d\d:\d\d(\.\d+)?(z|[+-]\d\d:\d\d)", text.lower()))


@FORMATS.checks("uuid")
def is_uuid(text):
    return not isinstance(text, str) or bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))


class Description:
    """An OpenAPI 3.1 document; `seen` are the (method, path, status) of the answers it was held against."""

    def __init__(self, document):
        self.document, self.seen, self.held = document, set(), set()
        self.resolver = jsonschema.RefResolver("", document)
        # Literal paths come first: /v1/keys/{keyId} must not take what belongs to /v1/keys/x.
        self.paths = sorted(((re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in document["paths"]),
                            key=lambda pair: pair[1].count("{"))

    def described(self):
        return {(method, path, int(status)) for path, item in self.document["paths"].items()
                for method in METHODS if method in item for status in item[method]["responses"]}

    def hold(self, method, target, body, media_type, reply):
        path = target.split("?")[0].split("#")[0]
        if path.startswith("/v1/authorize/"):
            path = "/v1/authorize"  # which says so; no path template can
        path = re.sub(r"^(/v1/rules/[^/]+/authorize)/.*", r"\1", path)
        template = next((name for pattern, name in self.paths if pattern.fullmatch(path)), None)
        where = f"{method} {path}: {reply.status}"
        if is_by_transport(reply):
            return self.hold_problem(reply)
        if template is None and PAGES.fullmatch(path) and reply.status == 200:
            return None
        if template is None:
            assert reply.status == 404, f"{where} at a path that is not described"
            return self.hold_problem(reply)
        item = self.document["paths"][template]
        name = method.lower() if method.lower() in item else "get" if method == "HEAD" else None
        if method == "OPTIONS" and reply.headers["Access-Control-Allow-Methods"]:
            return None  # a preflight of the management service: the Fetch standard describes it
        if name is None:
            assert reply.headers["Allow"] and reply.status in (405, 204), where
            return self.hold_problem(reply)
        response = item[name]["responses"].get(str(reply.status))
        assert response is not None, f"{where} is not described"
        self.seen.add((name, template, reply.status))
        if reply.status < 300 and body:
            self.hold_request(item[name], body, media_type, where)
        return self.hold_response(self.resolve(response), method, reply, where)

    def hold_request(self, operation, body, media_type, where):
        """What is taken is described as allowed."""
        described = self.resolve(operation.get("requestBody", {})).get("content", {}).get(media_type)
        if described:
            self.validate(described["schema"], json.loads(body), where)

    def hold_response(self, response, method, reply, where):
        headers = {name.lower(): self.resolve(header) for name, header in response.get("headers", {}).items()}
        for name, value in reply.headers.items():
            assert name.lower() in headers or name.lower() in COMMON_HEADERS, f"{where}: {name} is not described"
            if name.lower() in headers:
                schema = self.resolve(headers[name.lower()]["schema"])
                self.validate(schema, int(value) if schema.get("type") == "integer" else value, f"{where} {name}")
        if method == "HEAD":
            return
        content = response.get("content")
        if not content:
            assert reply.body == b"", f"{where}: a body that is not described"
            return
        media_type = reply.headers["Content-Type"].split(";")[0]
        assert media_type in content, f"{where}: {media_type} is not described"
        same = (reply.status, INSTANCE.sub(b"", reply.body))  # refusals differ in their ids alone
        if media_type.endswith("json") and same not in self.held:
            self.validate(content[media_type]["schema"], reply.json(), where)
            self.held.add(same)
        if media_type == "application/problem+json":
            assert f"`{reply.problem}`" in response["description"], f"{where}: {reply.problem} is not described"

    def hold_problem(self, reply):
        if reply.body:
            assert reply.problem
            self.validate({"$ref": "#/components/schemas/Problem"}, reply.json(), str(reply.status))

    def resolve(self, node):
        return self.resolver.resolve(node["$ref"])[1] if "$ref" in node else node

    def validate(self, schema, value, where):
        errors = list(jsonschema.Draft202012Validator(schema, resolver=self.resolver, format_checker=FORMATS).iter_errors(value))
        assert not errors, f"{where}: {errors[0].message} at {list(errors[0].absolute_path)}"


def is_by_transport(reply):
    return reply.headers["Content-Type"] == "application/problem+json" and reply.body and reply.problem in BY_TRANSPORT


names = {}         # (host, port) → the service that was started there last
descriptions = {}  # service → Description, of this binary


def remember(name, url):
    parts = urllib.parse.urlsplit(url)
    names[parts.hostname, parts.port] = name


def description_of(address):
    name = names.get(address)
    if name is not None and name not in descriptions:
        connection = http.client.HTTPConnection(*address, timeout=30)
        try:
            connection.request("GET", "/openapi.json")
            descriptions[name] = Description(json.loads(connection.getresponse().read()))
        except (OSError, http.client.HTTPException, ValueError):
            return None  # it is being killed; another answer will do
        finally:
            connection.close()
    return descriptions.get(name)


def hold(address, method, target, body, media_type, reply):
    description = description_of(address)
    if description is not None:
        description.hold(method, target, body, media_type, reply)
