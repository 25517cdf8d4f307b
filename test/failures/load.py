"""Who asks and who commands while parts die; all of it is recorded, nothing is judged here."""

import contextlib
import http.client
import json
import threading
import time
import urllib.parse

from judge import Command, Request

PATIENCE = 60  # seconds that a request may take; what comes later counts as no answer


class Caller:
    """One keep-alive connection to a service that may die and come back at another port."""

    def __init__(self, service):
        self.service, self.connection = service, None

    def __call__(self, method, path, token, body=None):
        """(status, headers, body); status 0: no answer."""
        headers = {"Authorization": f"Bearer {token}"}
        if body is not None:
            body, headers["Content-Type"] = json.dumps(body), "application/json"
        try:
            if self.connection is None:
                parts = urllib.parse.urlsplit(self.service.url_file.read_text().strip())
                self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            return response.status, response.headers, response.read()
        except (OSError, ValueError, http.client.HTTPException):
            self.close()
            return 0, {}, b""

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Load:
    """One thread a replica asks for each key in turn, `rate` times a second."""

    def __init__(self, replicas, rate):
        self.replicas, self.rate, self.keys, self.requests, self.ending = replicas, rate, {}, [], False
        self.threads = [threading.Thread(target=self.run, args=(replica,), daemon=True) for replica in replicas]

    def start(self):
        for thread in self.threads:
            thread.start()

    def run(self, replica):
        caller, turn = Caller(replica), 0
        while not self.ending:
            keys = list(self.keys.items())
            name, access_key = keys[turn % len(keys)]
            turn += 1
            sent = time.monotonic()
            status, _, body = caller("GET", "/v1/authorize", access_key)
            answered = time.monotonic()
            self.requests.append(Request(sent, answered, replica.label, name, status, problem_of(body)))
            time.sleep(max(0.0, 1 / self.rate - (answered - sent)))
        caller.close()

    def stop(self):
        self.ending = True
        for thread in self.threads:
            thread.join()


def problem_of(body):
    with contextlib.suppress(ValueError, AttributeError):
        return json.loads(body).get("type", "").removeprefix("/problems/")
    return ""


class Admin:
    """Disables keys, waiting until that is enforced, and enables them again, without end; each by turns."""

    def __init__(self, manager, token):
        self.manager, self.token, self.keys, self.commands = manager, token, {}, []
        self.lock, self.ending = threading.Lock(), False
        self.thread = threading.Thread(target=self.run, daemon=True)

    def create(self, name, requests_per_minute):
        """(key id, access key)"""
        status, _, body = Caller(self.manager)("POST", "/v1/keys", self.token,
                                               {"userId": name, "name": name, "requestsPerMinute": requests_per_minute})
        assert status == 201, (status, body)
        answer = json.loads(body)
        return answer["key"]["keyId"], answer["accessKey"]

    def shown(self, key_id):
        status, _, body = Caller(self.manager)("GET", f"/v1/keys/{key_id}", self.token)
        return json.loads(body) if status == 200 else None

    def replicas(self):
        status, _, body = Caller(self.manager)("GET", "/v1/replicas", self.token)
        return json.loads(body)["replicas"] if status == 200 else None

    def set_disabled(self, name, key_id, disabled, wait=""):
        sent = time.monotonic()
        status, headers, body = Caller(self.manager)("PATCH", f"/v1/keys/{key_id}{wait}", self.token, {"disabled": disabled})
        document = {}
        with contextlib.suppress(ValueError):
            document = json.loads(body)
        enforcement = document.get("enforcement", {})
        command = Command(sent, time.monotonic(), name, disabled, status, enforcement.get("state", ""),
                          tuple(sorted(r["outcome"] for r in enforcement.get("replicas", []))), document.get("detail", ""))
        with self.lock:
            self.commands.append(command)
        return command

    def run(self):
        while not self.ending:
            for name, key_id in self.keys.items():
                self.set_disabled(name, key_id, True, "?wait=enforced&timeout=40s")
                time.sleep(0.2)
                self.set_disabled(name, key_id, False)
                time.sleep(0.2)

    def stop(self):
        self.ending = True
        self.thread.join()
