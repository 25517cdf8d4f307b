# Part of ./dev: what documents and packaging promise, against the real program and the real tools.
# shellcheck shell=bash

# Debian's package starts a service when it is installed; its two programs are all that is needed.
unpack_prometheus() { # prints the folder of the programs
  local folder=build/prometheus
  if [ ! -x "$folder/usr/bin/promtool" ]; then
    say "unpacking Prometheus"
    mkdir -p "$folder"
    (
      cd "$folder"
      apt-get download -q prometheus >&2 || { as_root apt-get update -q >&2 && apt-get download -q prometheus >&2; }
      dpkg -x prometheus_*.deb . && rm prometheus_*.deb
    )
  fi
  readlink -f "$folder/usr/bin"
}

test_documents() { # test_documents WORDS OF PYTEST…
  [ -n "${LATCHKEY_BINARY:-}" ] || build release latchkey
  PROMETHEUS_BIN=$(unpack_prometheus)
  export PROMETHEUS_BIN
  say "testing documents and packaging"
  LATCHKEY_BINARY=${LATCHKEY_BINARY:-$PWD/build/release/latchkey} \
    /usr/bin/python3 -B -m pytest -q -p no:cacheprovider test/documents "$@"
}
