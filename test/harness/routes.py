"""Which routes there are, so that no test keeps a list of its own."""


class Names(dict):
    def __missing__(self, name):
        return "{}"


# Of a plan and of a user that a test makes first (make_named), and of a refused request.
NAMES = Names(name="basic", userId="basic", id="0" * 32)


PUT_BODIES = {"plans": {"limits": [{"name": "per-minute", "requests": 5, "window": "60s"}]}, "users": {}}


def make_named(stack):
    for kind, body in PUT_BODIES.items():
        assert stack.admin()("PUT", f"/v1/{kind}/basic", body, headers={"If-None-Match": "*"}).status in (201, 412)


def routes_that_need(scheme, stack):
    """(method, path with {} for its id, a body) of each operation that the service's own document says needs `scheme`. A unit
    test holds that document to the service's table of routes."""
    for path, item in stack.keys.client()("GET", "/openapi.json").json()["paths"].items():
        for method, operation in item.items():
            if method != "parameters" and {scheme: []} in operation["security"]:
                yield method.upper(), path.format_map(NAMES), {} if method in ("post", "patch", "put") else None
