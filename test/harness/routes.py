"""Which routes there are, so that no test keeps a list of its own."""

import re


def routes_that_need(scheme, stack):
    """(method, path with {} for its id, a body) of each operation that the service's own document says needs `scheme`. A unit
    test holds that document to the service's table of routes."""
    for path, item in stack.keys.client()("GET", "/openapi.json").json()["paths"].items():
        for method, operation in item.items():
            if method != "parameters" and {scheme: []} in operation["security"]:
                yield method.upper(), re.sub(r"{\w+}", "{}", path), {} if method in ("post", "patch", "put") else None
