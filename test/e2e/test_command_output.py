"""What the command line says, and that nothing counts as said which did not arrive."""

import json
import os
import re
import subprocess

import pytest

from latchkey import BINARY, clean_environment, eventually


def run(stack, command, **env):
    """In bash, whose redirections are the point; the program is `$L`."""
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300, check=False,
                          env={**clean_environment(), "LATCHKEY_DATA_DIR": str(stack.data_dir), "L": BINARY, **env})


def exit_of(done):
    return done.stdout.strip().splitlines()[-1]


def test_no_command_succeeds_whose_output_is_lost(shared):
    _, key = shared.create()
    commands = ["key list", "key list -o json", "key list --quiet", f"key show {key['keyId']}", "changes", "replicas",
                "signing-key list", "--help", "--version", "key --help", "keys --print-config", "completion bash", "admin-token",
                f"key update {key['keyId']} --name x", f"key disable {key['keyId']} --yes", f"key enable {key['keyId']}"]
    for command in commands:
        full = run(shared, f"$L {command} >/dev/full; echo $?")
        assert exit_of(full) == "1" and "No space left on device" in full.stderr, (command, full)
        closed = run(shared, f"$L {command} | true; echo ${{PIPESTATUS[0]}}")
        assert exit_of(closed) in ("0", "1"), (command, closed)


@pytest.mark.parametrize("form", ["--quiet", "-o json", ""])
@pytest.mark.parametrize("command", ["key rotate ID --yes", "key create --user a --requests-per-minute 1"])
def test_a_token_that_is_lost_is_no_success(shared, command, form):
    _, key = shared.create()
    done = run(shared, f"$L {command.replace('ID', key['keyId'])} {form} >/dev/full; echo $?")
    assert exit_of(done) == "1" and "No space left on device" in done.stderr, done
    assert "shown again" not in done.stderr, "it says that it was shown"
    remedy = re.search(r"latchkey (key rotate \S+ --yes)", done.stderr).group(1)
    again = run(shared, f"$L {remedy} --quiet")
    assert again.returncode == 0 and again.stdout.count(".") == 2, again


def test_a_reader_that_has_seen_enough_is_no_fault(shared):
    for _ in range(3):
        shared.create()
    done = run(shared, "set -o pipefail; $L changes --quiet --limit 1000 | head -1; echo ${PIPESTATUS[0]}")
    assert exit_of(done) in ("0", "1") and not done.stderr.replace("There are newer ones", ""), done


def test_changes_say_that_there_are_more(shared):
    for _ in range(3):
        shared.create()
    page = shared.cli("changes", "--limit", "2", "-o", "json")
    after = json.loads(page.stdout)["nextAfter"]
    assert f"--after {after} " in page.stderr
    rest = shared.cli("changes", "--limit", "1000", "--after", after, "-o", "json")
    assert json.loads(rest.stdout)["changes"] and not rest.stderr


def test_a_mistyped_command_is_understood(shared):
    for typed, meant in (("kye", "key"), ("tokesn", "tokens"), ("key lits", "list")):
        done = shared.cli(*typed.split(), check=False)
        assert done.returncode == 2 and f"Did you mean {meant}?" in done.stderr, done


@pytest.mark.engines("sqlite", "postgres", reason="one replica, which a stop ends")
def test_waiting_where_no_replica_runs_says_so_in_words(stack):
    _, key = stack.create()
    stack.tokens.stop()
    for verb in (f"key disable {key['keyId']} --yes", f"key delete {key['keyId']} --yes"):
        done = eventually(lambda verb=verb: run(stack, f"$L {verb} --wait --wait-timeout 2s"))
        assert "=" not in done.stderr and re.search(r"[Rr]eplica", done.stderr), done


def test_a_grace_that_runs_is_seen(shared):
    _, key = shared.create()
    rotated = json.loads(shared.cli("key", "rotate", key["keyId"], "--grace", "1h", "--yes", "-o", "json").stdout)["key"]
    until = rotated["previousValidUntil"]
    assert until > rotated["issuedAt"]
    for command in (("key", "show", key["keyId"]), ("key", "list", "--all")):
        assert until in shared.cli(*command).stdout, command
    assert json.loads(shared.cli("key", "rotate", key["keyId"], "--yes", "-o", "json").stdout)["key"]["previousValidUntil"] is None


def test_where_admin_keys_are_configured_nobody_mints_a_token_that_is_refused(tmp_path):
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(tmp_path / "own.pem")], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", str(tmp_path / "own.pem"), "-pubout", "-out", str(tmp_path / "public.pem")],
                   check=True, capture_output=True)
    environment = {**clean_environment(), "LATCHKEY_DATA_DIR": str(tmp_path / "data"), "LATCHKEY_KEYS_LISTEN": "127.0.0.1:0",
                   "LATCHKEY_TOKENS_LISTEN": "127.0.0.1:0", "LATCHKEY_ADMIN_KEYS": str(tmp_path / "public.pem")}
    for command in (("admin-token",), ("key", "list")):
        done = subprocess.run([BINARY, *command], env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode != 0 and not done.stdout and f"admin_keys ({tmp_path / 'public.pem'})" in done.stderr, done
    with subprocess.Popen([BINARY, "up"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as up:
        tour = ""
        while "Ctrl-C" not in tour:
            tour += up.stdout.readline()
        up.terminate()
    assert "LATCHKEY_ADMIN_TOKEN" in tour and not re.search(r"ey[\w-]+\.ey", tour), tour
    assert not os.path.exists(tmp_path / "data" / "secrets" / "admin.pem"), "a key that later messages stumble over"


@pytest.mark.parametrize("certificate, key, why", [
    ("none.pem", "key.pem", "tls_cert ({origin}): cannot open {file}: No such file or directory"),
    ("certificate.pem", "none.pem", "tls_key ({origin}): cannot open {file}: No such file or directory"),
    ("key.pem", "key.pem", "tls_cert ({origin}): {file}: there is no certificate in PEM form in it"),
    ("certificate.pem", "certificate.pem", "tls_key ({origin}): {file}: there is no private key in PEM form in it"),
    ("certificate.pem", "other.pem", "tls_key ({origin}): {file}: it does not belong to the certificate"),
    ("certificate.pem", "locked.pem", "tls_key ({origin}): {file}: it has a password"),
    ("certificate.pem", "", "tls_key")])
def test_tls_files_are_named_with_their_setting_and_the_cause(tmp_path, certificate, key, why):
    subprocess.run("""openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out certificate.pem \
        -subj /CN=x -days 2 && openssl ecparam -name prime256v1 -genkey -noout -out other.pem &&
        openssl pkey -in key.pem -aes128 -passout pass:x -out locked.pem""", shell=True, check=True, cwd=tmp_path, capture_output=True)
    environment = {**clean_environment(), "LATCHKEY_DATA_DIR": str(tmp_path / "data"),
                   "LATCHKEY_TLS_CERT": str(tmp_path / certificate), "LATCHKEY_TLS_KEY": str(tmp_path / key) if key else ""}
    done = subprocess.run([BINARY, "keys", "--check-config"], env=environment, capture_output=True, text=True, timeout=300, check=False)
    named = "tls_cert" if why.startswith("tls_cert") else "tls_key"
    expected = why.format(origin="LATCHKEY_" + named.upper(), file=tmp_path / (certificate if named == "tls_cert" else key))
    assert done.returncode == 2 and expected in done.stderr, done
    service = subprocess.run([BINARY, "keys"], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert service.returncode == 1 and f"tls: {named}: " in service.stderr and "system lib" not in service.stderr, service


def test_both_schemes_of_a_postgresql_url(shared):
    for scheme in ("postgresql", "postgres"):
        url = {"LATCHKEY_STORE": f"{scheme}://host/db"}
        assert shared.cli("keys", "--check-config", env=url).returncode == 0
        assert f"{scheme}://host/db" in shared.cli("keys", "--print-config", env=url).stdout
