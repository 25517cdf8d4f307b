# Part of ./dev: the console in Debian's Chromium, against the two real services.
# shellcheck shell=bash

CONSOLE_PACKAGES="chromium fonts-dejavu-core"

test_console() { # test_console [--images]: also writes the pictures of docs/images
  [ -n "${LATCHKEY_BINARY:-}" ] || build release latchkey
  # shellcheck disable=SC2086
  install_missing $CONSOLE_PACKAGES
  use_node
  local folder=build/npm/console
  mkdir -p "$folder"
  cp test/console/{package.json,package-lock.json,.npmrc,*.mjs} test/node/services.mjs "$folder"
  npm_ci "$folder"
  if [ "${1:-}" = --images ]; then export LATCHKEY_IMAGES=$PWD/docs/images; fi
  say "testing the console"
  (cd "$folder" && LATCHKEY_BINARY=${LATCHKEY_BINARY:-$OLDPWD/build/release/latchkey} node --test ./*.test.mjs)
}
