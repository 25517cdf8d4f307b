"""`latchkey up` as a newcomer meets it, and the command line."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess

import pytest

from latchkey import BINARY, clean_environment, eventually, write_catalog


class Up:
    """`latchkey up` in its own process group, its output collected."""

    def __init__(self, stack):
        """In the place of the stack's own services, with the same engines."""
        self.environment = self.environment_of(stack)
        self.data_dir = stack.data_dir
        self.process = subprocess.Popen([BINARY, "up"], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.output = ""

    @staticmethod
    def environment_of(stack):
        return {**clean_environment(), **stack.replicas[0].settings, **stack.keys.settings,
                "PATH": os.path.dirname(BINARY) + ":" + os.environ["PATH"]}

    def read(self):
        ready, _, _ = select.select([self.process.stdout], [], [], 0.05)
        if ready:
            self.output += self.process.stdout.read() or ""
        assert self.process.poll() is None, self.output
        return self.output

    def wait(self):
        eventually(lambda: "curl" in self.read() and "/v1/tokens" in self.output and "Ctrl-C" in self.output)
        return self

    def url(self, name):
        return (self.data_dir / "run" / f"{name}.url").read_text().strip()

    def stop(self, with_signal=signal.SIGINT):
        os.killpg(self.process.pid, with_signal) if with_signal == signal.SIGINT else self.process.send_signal(with_signal)
        return self.process.wait(timeout=300)

    def run(self, script):
        return subprocess.run(["bash", "-c", script], env=self.environment, capture_output=True, text=True, timeout=300, check=False)


def self_signed(directory):
    certificate, key = str(directory / "certificate.pem"), str(directory / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-subj", "/CN=keys.example", "-days", "2"],
                   check=True, capture_output=True)
    return {"LATCHKEY_TLS_CERT": certificate, "LATCHKEY_TLS_KEY": key}


def all_of_terminal(terminal):
    """What it was written to until nobody has it open, of which a read brings a piece."""
    text = b""
    with contextlib.suppress(OSError):  # how its end is said
        while piece := os.read(terminal, 4096):
            text += piece
    os.close(terminal)
    return text.decode()


def children(pid):
    out = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid=,args="], capture_output=True, text=True, check=False).stdout
    return {int(line.split()[0]): line for line in out.splitlines()}


@pytest.fixture
def up(idle_stack):
    it = Up(idle_stack).wait()
    yield it
    if it.process.poll() is None:
        it.stop()


def test_up_prints_urls_a_token_and_a_tour(up):
    for name in ("keys", "tokens"):
        assert up.url(name) in up.output
    token = re.search(r"\bey[\w-]+\.[\w-]+\.[\w-]+", up.output)
    assert token, up.output
    listing = up.run(f"curl -s -H 'Authorization: Bearer {token.group()}' {up.url('keys')}/v1/keys")
    assert json.loads(listing.stdout) == {"keys": [], "nextCursor": None}, listing
    assert len(children(up.process.pid)) == 2, "two services, two processes"


def test_the_tour_works_when_pasted(up):
    """Every indented line of the tour is a command; they are run in order in one shell."""
    commands = [line.strip().removeprefix("$ ") for line in up.output.splitlines() if re.match(r"^\s+(\$ )?(\w+=|curl |\S*latchkey |export )", line)]
    assert len(commands) >= 4, up.output
    done = up.run("set -e\n" + "\n".join(commands) + "\n")
    assert done.returncode == 0, (commands, done.stdout, done.stderr)
    assert '"tokens"' in done.stdout or '"symbol"' in done.stdout, done.stdout
    assert "key-disabled" in done.stdout, "the tour ends with a refusal: " + done.stdout


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGTERM])
def test_stops_with_0_and_leaves_nobody(idle_stack, with_signal):
    up = Up(idle_stack).wait()
    kids = children(up.process.pid)
    assert up.stop(with_signal) == 0
    for pid in kids:
        assert not os.path.exists(f"/proc/{pid}"), "a service outlived `up`"


def test_hands_a_hangup_on_to_the_services(idle_stack, tmp_path):
    catalog = tmp_path / "catalog.json"
    idle_stack.replicas[0].settings["LATCHKEY_CATALOG"] = str(catalog)
    write_catalog(catalog, "ONE")
    up = Up(idle_stack).wait()
    kids = children(up.process.pid)
    access_key = up.run("latchkey key create --user alice --requests-per-minute 600 --expires 30d --wait --quiet").stdout.strip()
    write_catalog(catalog, "TWO")
    up.process.send_signal(signal.SIGHUP)
    ask = f"curl -s -o /dev/null -w '%{{http_code}}' -H 'X-API-Key: {access_key}' {up.url('tokens')}/v1/tokens/TWO"
    eventually(lambda: up.run(ask).stdout == "200")
    assert children(up.process.pid) == kids and up.stop() == 0


def test_speaks_tls_with_a_certificate_that_nobody_vouches_for(idle_stack, tmp_path):
    """`up` and the command line beside it know whom to expect: who holds the key of LATCHKEY_TLS_CERT."""
    idle_stack.keys.settings |= self_signed(tmp_path)
    up = Up(idle_stack).wait()
    assert up.url("keys").startswith("https://")
    assert up.run("latchkey key list").returncode == 0
    kids = children(up.process.pid)
    os.kill(next(pid for pid, args in kids.items() if " tokens" in args), signal.SIGTERM)
    eventually(lambda: len(children(up.process.pid)) == 2 and children(up.process.pid) != kids)
    stranger = up.run(f"LATCHKEY_URL={up.url('keys')} latchkey key list")
    assert stranger.returncode == 1 and "certificate" in stranger.stderr, "an address that somebody names must prove itself"
    assert up.stop() == 0


def test_files_never_take_a_closed_streams_place(idle_stack):
    """The log would be written into the permits."""
    launched = subprocess.Popen(["sh", "-c", f"exec {BINARY} up <&- >&- 2>&-"], env=Up.environment_of(idle_stack))
    try:
        eventually(lambda: len(children(launched.pid)) == 2)
        eventually(lambda: (idle_stack.data_dir / "run" / "tokens.url").exists())
        for pid in [launched.pid, *children(launched.pid)]:
            assert [os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)] == ["/dev/null"] * 3
    finally:
        launched.terminate()
    assert launched.wait(timeout=300) == 0


def test_ends_with_its_terminal(idle_stack):
    """The kernel's SIGHUP: nobody is left who could press Ctrl-C."""
    terminal, inner = pty.openpty()
    process = subprocess.Popen(["setsid", "--ctty", "--wait", BINARY, "up"], env=Up.environment_of(idle_stack),
                               stdin=inner, stdout=inner, stderr=inner)
    os.close(inner)
    output = ""
    while "Ctrl-C" not in output:
        output += os.read(terminal, 4096).decode()
    kids = list(children(process.pid))
    os.close(terminal)
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in kids))
    process.wait(timeout=300)


def test_a_second_start_keeps_keys_and_secrets(idle_stack):
    up = Up(idle_stack).wait()
    created = up.run("latchkey key create --user alice --requests-per-minute 60 --expires 30d -o json")
    access_key = json.loads(created.stdout)["accessKey"]
    admin_token = up.run("latchkey admin-token").stdout.strip()
    assert up.stop() == 0
    up = Up(idle_stack).wait()
    answer = eventually(lambda: up.run(f"curl -s -w '%{{http_code}}' -H 'X-API-Key: {access_key}' {up.url('tokens')}/v1/tokens").stdout)
    assert answer.endswith("200")
    again = up.run(f"curl -s -o /dev/null -w '%{{http_code}}' -H 'Authorization: Bearer {admin_token}' {up.url('keys')}/v1/keys")
    assert again.stdout == "200"
    assert up.stop() == 0


def test_a_dead_service_is_started_again(up):
    pid = next(pid for pid, args in children(up.process.pid).items() if " keys" in args)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: any(" keys" in a for p, a in children(up.process.pid).items() if p != pid))
    eventually(lambda: up.run("latchkey key list").returncode == 0)


def test_children_do_not_outlive_a_killed_up(idle_stack):
    up = Up(idle_stack).wait()
    kids = children(up.process.pid)
    up.process.kill()
    up.process.wait()
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in kids))


def test_a_second_up_on_the_same_data_is_refused(up):
    second = subprocess.run([BINARY, "up"], env=up.environment, capture_output=True, text=True, timeout=300, check=False)
    assert second.returncode == 1 and second.stderr and not second.stdout


def run_alone(name, environment):
    return subprocess.run([BINARY, name], env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("name", ["keys", "tokens"])
def test_a_second_service_on_the_same_data_is_refused(idle_stack, name):
    service = {"keys": idle_stack.keys, "tokens": idle_stack.replicas[0]}[name].start(wait="url")
    published = service.url
    second = run_alone(name, {**clean_environment(), **service.settings})
    assert second.returncode == 1 and f"another `latchkey {name}` runs on" in second.stderr, second
    assert str(service.data_dir) in second.stderr
    assert service.url == published and service.alive(), "the first one is still the one"
    assert service.stop() == 0 and not service.url_file.exists()


def test_up_is_refused_where_a_service_runs_alone(idle_stack):
    idle_stack.keys.start()
    done = run_alone("up", {**clean_environment(), **idle_stack.replicas[0].settings, **idle_stack.keys.settings})
    assert done.returncode == 1 and "another `latchkey keys` runs on" in done.stderr and not done.stdout, done
    assert idle_stack.cli("key", "list").returncode == 0


def test_a_killed_up_starts_again_at_once(idle_stack):
    up = Up(idle_stack).wait()
    up.process.kill()
    up.process.wait()
    up = Up(idle_stack).wait()
    assert up.run("latchkey key list").returncode == 0
    assert up.stop() == 0


def test_a_minted_token_is_sent_to_nobody_where_no_service_runs(idle_stack):
    """Neither to the default address nor to the port that a killed service had: another may listen there now."""
    idle_stack.keys.start()
    idle_stack.keys.kill()
    done = idle_stack.cli("key", "list", check=False)
    assert done.returncode == 1 and str(idle_stack.data_dir) in done.stderr and "LATCHKEY_URL" in done.stderr, done
    idle_stack.keys.start()
    assert idle_stack.cli("key", "list").returncode == 0


def test_a_listen_address_that_cannot_be_is_said_once(idle_stack):
    done = run_alone("keys", {**clean_environment(), **idle_stack.keys.settings, "LATCHKEY_KEYS_LISTEN": "nowhere:80"})
    assert done.returncode == 1 and done.stderr.count("nowhere:80") == 1, done
    assert "keys_listen" in done.stderr and "/listen" not in done.stderr


def test_up_says_what_is_wrong_with_the_configuration_once(idle_stack, tmp_path):
    """Before any service starts, finds out by itself, and is started again."""
    environment = {**clean_environment(), **idle_stack.replicas[0].settings, "LATCHKEY_CATALOG": str(tmp_path / "none.json")}
    done = run_alone("up", environment)
    assert done.returncode == 2 and done.stderr.count("none.json") == 1 and not done.stdout, done


def test_up_says_once_that_a_port_is_taken_and_ends(idle_stack):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        environment = {**clean_environment(), **idle_stack.replicas[0].settings, "LATCHKEY_KEYS_LISTEN": address}
        done = run_alone("up", environment)
    assert done.returncode == 1 and done.stderr.count("Address already in use") == 1 and not done.stdout, done


# --- the command line against running services ---------------------------------------------------------------------


def test_key_commands(shared):
    created = json.loads(shared.cli("key", "create", "--user", "cli", "--requests-per-minute", "60", "--expires", "30d",
                                    "--name", "first", "-o", "json").stdout)
    key_id = created["key"]["keyId"]
    assert created["accessKey"] and created["key"]["name"] == "first"
    assert key_id in shared.cli("key", "list", "-o", "table").stdout
    assert json.loads(shared.cli("key", "show", key_id, "-o", "json").stdout)["keyId"] == key_id
    shared.cli("key", "update", key_id, "--requests-per-minute", "70", "--expires", "never", "--name", "second")
    shown = json.loads(shared.cli("key", "show", key_id, "-o", "json").stdout)
    assert (shown["requestsPerMinute"], shown["expiresAt"], shown["name"]) == (70, None, "second")
    for verb, status in (("disable", "disabled"), ("enable", "active")):
        shared.cli("key", verb, key_id, "--yes") if verb == "disable" else shared.cli("key", verb, key_id)
        assert json.loads(shared.cli("key", "show", key_id, "-o", "json").stdout)["status"] == status
    rotated = shared.cli("key", "rotate", key_id, "--yes", "--quiet").stdout.strip()
    assert rotated.count(".") == 2 and rotated != created["accessKey"]
    plan = shared.cli("plan", "-o", "json", env={"LATCHKEY_ACCESS_KEY": rotated})
    assert json.loads(plan.stdout)["keyId"] == key_id
    deleted = shared.cli("key", "delete", key_id, "--yes", "-o", "json").stdout
    assert json.loads(deleted) == {"keyId": key_id, "status": "deleted"}
    assert json.loads(shared.cli("key", "show", key_id, "-o", "json").stdout)["status"] == "deleted"
    actions = [c["action"] for c in json.loads(shared.cli("changes", "-o", "json").stdout)["changes"]
               if c.get("key", {}).get("keyId") == key_id]
    assert actions == ["delete", "rotate", "enable", "disable", "update", "create"]  # the newest first


def test_quiet_prints_only_the_key(shared):
    out = shared.cli("key", "create", "--user", "q", "--requests-per-minute", "1", "--quiet").stdout
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", out)


def test_quiet_changes_are_positions(shared):
    _, key = shared.create()
    quiet = shared.cli("changes", "--limit", "1000", "--quiet").stdout.splitlines()
    assert key["position"] in quiet and all(re.fullmatch(r"[0-9a-f]{16}\.\d+", line) for line in quiet)


def test_admin_token_prints_the_token_alone(shared):
    out = shared.cli("admin-token", "--subject", "ops", "--role", "viewer", "--ttl", "12h").stdout
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", out)


def test_exit_codes(shared):
    def code(*args, **more):
        done = shared.cli(*args, check=False, **more)
        assert done.returncode == 0 or (done.stderr and not done.stdout), (args, done)
        return done.returncode
    assert code("key", "show", "01900000-0000-7000-8000-000000000000") == 1
    assert code("key", "create", "--user", "x", "--requests-per-minute", "0") in (1, 2)
    assert code("key", "bogus") == 2
    assert code("--bogus") == 2
    assert code("key", "list", "--limit", "501") == 2
    assert code("admin-token", "--subject", "a\nb") == 2
    assert code("admin-token", "--subject", "a\u009bb") == 2
    assert code("key", "list", env={"LATCHKEY_ADMIN_TOKEN": "x.y.z"}) == 4
    assert code("key", "list", env={"LATCHKEY_URL": "http://127.0.0.1:1"}) == 1
    assert code("key", "delete", "01900000-0000-7000-8000-000000000000", stdin="") == 2, "no --yes and no terminal"
    done = shared.cli("key", "create", "--user", "x", "--requests-per-minute", "1", "--name", os.fsdecode(b"\xff"), check=False)
    assert done.returncode == 2 and done.stderr == "latchkey: arguments must be UTF-8\n", done
    viewer = shared.admin_token("--role", "viewer")
    assert code("key", "create", "--user", "x", "--requests-per-minute", "1", env={"LATCHKEY_ADMIN_TOKEN": viewer}) == 4


def test_configuration(tmp_path, shared):
    assert shared.cli("keys", "--check-config").returncode == 0
    for environment in ({"LATCHKEY_BOGUS": "1"}, {"LATCHKEY_THREADS": "many"}, {"LATCHKEY_MAX_STALENESS": "soon"},
                        {"LATCHKEY_KEYS_LISTEN": "nowhere"}, {"LATCHKEY_TOKENS_LISTEN": "999.1.1.1:80"}):
        done = shared.cli("keys", "--check-config", check=False, env=environment)
        assert done.returncode == 2 and next(iter(environment)) in done.stderr, (environment, done)
    (tmp_path / "public.pem").write_text("-----BEGIN PUBLIC KEY-----\n" + 40 * "x")
    for environment in ({"LATCHKEY_ADMIN_KEYS": str(tmp_path / "none")}, {"LATCHKEY_ADMIN_SECRET_FILE": str(tmp_path / "none")},
                        {"LATCHKEY_ADMIN_SECRET_FILE": str(tmp_path / "public.pem")}, {"LATCHKEY_CATALOG": str(tmp_path / "none")},
                        {"LATCHKEY_CATALOG": str(tmp_path)}, {"LATCHKEY_STORE": "postgresql://host/db?bogus=1"},
                        {"LATCHKEY_STREAM": "redis://host:99999"}, {"LATCHKEY_LIMITER": "redis://host:99999"}):
        done = shared.cli("keys", "--check-config", check=False, env=environment)
        assert done.returncode == 2 and done.stderr, (environment, done)
        if "://" in str(environment):  # without a word of the URL
            name = next(iter(environment))
            assert f"({name}): " in done.stderr and "host/db" not in done.stderr, done
            service = shared.cli("keys", "--data-dir", str(tmp_path / "none"), check=False, env=environment)
            assert f"configuration: {name.removeprefix('LATCHKEY_').lower()}: " in service.stderr, service
        assert shared.cli("keys", "--print-config", env=environment).returncode == 0
    for config in (tmp_path, tmp_path / "none"):
        done = shared.cli("keys", "--check-config", "--config", str(config), check=False)
        assert done.returncode == 2 and f"{config}: " in done.stderr, done
    (tmp_path / "latchkey.toml").write_text('threads = 3\n')
    printed = shared.cli("keys", "--print-config", "--config", str(tmp_path / "latchkey.toml")).stdout
    assert re.search(r"threads\s*=\s*3", printed)
    printed = shared.cli("keys", "--print-config", "--config", str(tmp_path / "latchkey.toml"), env={"LATCHKEY_THREADS": "4"}).stdout
    assert re.search(r"threads\s*=\s*4", printed)
    (tmp_path / "bad.toml").write_text('bogus = 3\n')
    assert shared.cli("keys", "--print-config", "--config", str(tmp_path / "bad.toml"), check=False).returncode == 2


def test_help_has_examples_first(shared):
    for args in (["--help"], ["key", "--help"], ["key", "create", "--help"]):
        text = shared.cli(*args).stdout
        assert "latchkey" in text and "xample" in text, args


def test_completion(shared):
    for shell in ("bash", "zsh"):
        script = shared.cli("completion", shell).stdout
        assert "latchkey" in script
    probe = ('eval "$(latchkey completion bash)"; COMP_WORDS=(latchkey key cr); COMP_CWORD=2; COMP_LINE="latchkey key cr"; COMP_POINT=15; '
             '$(complete -p latchkey | grep -oP "(?<=-F )\\S+") latchkey cr key; echo "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", probe], capture_output=True, text=True, check=False,
                          env={**clean_environment(), "PATH": os.path.dirname(BINARY) + ":" + os.environ["PATH"]})
    assert "create" in done.stdout.split(), done


def test_destructive_commands_ask_on_a_terminal(shared):
    _, key = shared.create()
    main, sub = pty.openpty()
    process = subprocess.Popen([BINARY, "key", "delete", key["keyId"]], stdin=sub, stdout=sub, stderr=sub,
                               env={**clean_environment(), "LATCHKEY_DATA_DIR": str(shared.data_dir)})
    os.close(sub)
    os.write(main, b"n\n")
    assert process.wait(timeout=300) == 1
    assert key["keyId"] in all_of_terminal(main)
    assert shared.admin()("GET", f"/v1/keys/{key['keyId']}").json()["status"] == "active"


def test_no_colour_off_a_terminal(shared):
    assert "\x1b[" not in shared.cli("key", "list").stdout
