"""HTTP as the scenarios speak it: one keep-alive connection, or bytes as they are."""

import contextlib
import dataclasses
import http.client
import json
import socket
import urllib.parse

import conformance


@dataclasses.dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def problem(self):
        """The problem's short name; asserts that the answer is a problem document."""
        assert self.headers["Content-Type"] == "application/problem+json", (self.status, self.headers.items())
        document = self.json()
        assert document["status"] == self.status and document["title"], document
        assert document["type"].startswith("/problems/"), document
        return document["type"].removeprefix("/problems/")


class Client:
    """One keep-alive connection."""

    def __init__(self, url, headers=None):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.headers = headers or {}
        self.connection = None

    def __call__(self, method, path, body=None, headers=None, timeout=120):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=timeout)
        send = {**self.headers, **(headers or {})}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            send.setdefault("Content-Type", "application/json")
        try:
            self.connection.request(method, path, body=body, headers=send)
            response = self.connection.getresponse()
            reply = Reply(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        conformance.hold(self.address, method, path, body, send.get("Content-Type"), reply)
        return reply

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def connect(url):
    parts = urllib.parse.urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=120)


def raw(url, payload, shut=False):
    """Sends bytes as they are and returns all that comes back until the peer closes (or 30 s)."""
    with connect(url) as sock:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(payload)
            if shut:
                sock.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := sock.recv(65536):
                received += piece
        return received
