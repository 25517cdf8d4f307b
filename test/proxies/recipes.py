"""Each file of examples/proxies as it stands, but for addresses and paths, and the real proxy that it is for."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess

from servers import free_port, terminate
from turns import eventually

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples/proxies"
IDENTITY = ["x-latchkey-user", "x-latchkey-user-encoded", "x-latchkey-key-id", "x-latchkey-plan", "x-latchkey-scopes"]


class Proxy:
    """`source`: LATCHKEY_ORIGINAL_REQUEST. The rest says what the proxy can carry; the scenarios hold it both ways."""

    program, source = "", "x-original"
    identity = True      # reaches the API
    problem = True       # a refusal's body and type
    challenge = True     # WWW-Authenticate as Latchkey gave it
    limits = True        # RateLimit, RateLimit-Policy of a refusal
    keeps_alive = True   # towards Latchkey
    largest = 2_000_000  # octets of a body
    down = slow = 503    # while Latchkey is
    expect = True        # a refused POST with Expect: 100-continue gets its answer

    def __init__(self, folder, latchkey, api):
        self.folder, self.latchkey, self.api = pathlib.Path(folder), latchkey, api
        self.port, self.process = free_port(), None
        self.log = self.folder / "log"

    @classmethod
    def missing(cls):
        return shutil.which(cls.program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def example(self, name, **more):
        """The file's text with our addresses; each must occur in it."""
        text = (EXAMPLES / name).read_text()
        for theirs, ours in {"127.0.0.1:7071": self.latchkey, "127.0.0.1:8080": self.api, **more}.items():
            assert theirs in text, (name, theirs)
            text = text.replace(theirs, ours)
        return text

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                            env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", **self.environment()})
        eventually(self.listens)
        return self

    def environment(self):
        return {}

    def listens(self):
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-4000:]
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            return True
        return False

    def end(self):
        terminate(self.process)


class Nginx(Proxy):
    program = "nginx"

    def command(self):
        names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        conf = self.write("nginx.conf", f"daemon off; master_process off; pid {self.folder}/pid; error_log {self.log} warn;\n"
                          "events { worker_connections 256; }\nhttp { access_log off;\n"
                          + "".join(f"{name}_temp_path {self.folder}/{name};\n" for name in names)
                          + self.example("nginx.conf", **{"listen 80;": f"listen 127.0.0.1:{self.port};"}) + "}\n")
        return ["nginx", "-p", str(self.folder), "-c", conf, "-e", str(self.log)]


class Caddy(Proxy):
    program, source = "caddy", "x-forwarded"

    def command(self):
        own = self.example("Caddyfile", **{"http://:80 {": f"http://:{self.port} {{\n\tbind 127.0.0.1"})
        conf = self.write("Caddyfile", "{\n\tadmin off\n\tauto_https off\n}\n" + own)
        return ["caddy", "run", "--config", conf, "--adapter", "caddyfile"]

    def environment(self):
        return {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}


class Haproxy(Proxy):
    program = "haproxy"

    def command(self):
        lua = self.write("latchkey.lua", (EXAMPLES / "latchkey.lua").read_text())
        conf = self.write("haproxy.cfg", self.example("haproxy.cfg", **{"bind :80": f"bind 127.0.0.1:{self.port}",
                                                                         "/etc/haproxy/latchkey.lua": lua}))
        return ["haproxy", "-db", "-f", conf]


class Varnish(Proxy):
    program = "varnishd"
    largest = 2_000_000

    def command(self):
        own = self.example_pairs()
        conf = self.write("varnish.vcl", own)
        return ["varnishd", "-F", "-f", conf, "-a", f"127.0.0.1:{self.port}", "-n", str(self.folder / "n"), "-s", "malloc,64m",
                "-T", "none", "-j", "none"]

    def example_pairs(self):
        text = (EXAMPLES / "varnish.vcl").read_text()
        for theirs, ours in (("7071", self.latchkey), ("8080", self.api)):
            pair = f'.host = "127.0.0.1"; .port = "{theirs}"'
            assert pair in text
            text = text.replace(pair, f'.host = "127.0.0.1"; .port = "{ours.split(":")[1]}"')
        return text


class TrafficServer(Proxy):
    program, source = "traffic_server", "path"
    identity = problem = keeps_alive = False
    down, slow = 502, 0  # the connection ends without an answer

    def command(self):
        asked = free_port()
        config = self.folder / "config"
        config.mkdir(parents=True, exist_ok=True)
        for name in ("question.map", "hide.conf", "remap.config"):
            text = (EXAMPLES / "trafficserver" / name).read_text()
            for theirs, ours in (("127.0.0.1:7071", self.latchkey), ("127.0.0.1:8080", self.api), ("8081", str(asked)),
                                 ("/etc/trafficserver", str(config))):
                text = text.replace(theirs, ours)
            (config / name).write_text(text)
        for name in ("logs", "run", "cache"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (config / "records.config").write_text("".join(f"CONFIG proxy.config.{line}\n" for line in (
            f"http.server_ports STRING {self.port}:ip-in=127.0.0.1 {asked}:ip-in=127.0.0.1", "http.cache.http INT 0",
            "admin.user_id STRING #-1", "url_remap.pristine_host_hdr INT 0", "http.insert_request_via_str INT 0",
            "diags.output.error STRING E", "exec_thread.autoconfig INT 0", "exec_thread.limit INT 2", "log.logging_enabled INT 0")))
        (config / "storage.config").write_text(f"{self.folder}/cache 128M\n")
        (config / "plugin.config").write_text("")
        shutil.copy("/etc/trafficserver/ip_allow.yaml", config)
        return ["traffic_server"]

    def environment(self):
        runroot = self.folder / "runroot.yaml"
        runroot.write_text(f"prefix: {self.folder}\nexec_prefix: {self.folder}\nbindir: /usr/bin\nsbindir: /usr/sbin\n"
                           f"sysconfdir: {self.folder}/config\ndatadir: {self.folder}\nincludedir: {self.folder}\nlibdir: /usr/lib\n"
                           f"libexecdir: /usr/lib/trafficserver/modules\nlocalstatedir: {self.folder}\n"
                           f"runtimedir: {self.folder}/run\nlogdir: {self.folder}/logs\ncachedir: {self.folder}/cache\n")
        return {"TS_RUNROOT": str(runroot)}


PROXIES = {kind.__name__.lower(): kind for kind in (Nginx, Caddy, Haproxy, Varnish, TrafficServer)}
