# Part of ./dev: the Debian package and what is published beside it.
# shellcheck shell=bash

RELEASE_PACKAGES="dpkg-dev"
PACKAGE_TEST_PACKAGES="lintian man-db systemd"

# Everything is as old as the last commit, so that the same sources give the same octets.
make_release() {
  # shellcheck disable=SC2086
  install_missing $BUILD_PACKAGES $RELEASE_PACKAGES
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)
  export SOURCE_DATE_EPOCH
  build release latchkey
  local folder=build/release/release version
  version=$(build/release/latchkey --version | cut -d' ' -f2)
  cmake build/release -DLATCHKEY_PACKAGE=ON "-DLATCHKEY_RELEASE_DATE=$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)" >&2
  cmake --build build/release --target package-files >&2
  rm -rf "$folder"
  (cd build/release && umask 022 && cpack -G DEB >&2)
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C build/release \
    --transform="s,^,latchkey-$version/," -cf - latchkey -C "$PWD" README.md LICENSE CHANGELOG.md examples packaging |
    gzip -9n > "$folder/latchkey_${version}_linux_$(dpkg --print-architecture).tar.gz"
  python3 packaging/sbom.py build/release/latchkey "$version" "$SOURCE_DATE_EPOCH" > "$folder/latchkey_$version.spdx.json"
  (cd "$folder" && rm -rf _CPack_Packages && sha256sum -- *.deb *.tar.gz *.spdx.json > SHA256SUMS)
  cmake build/release -DLATCHKEY_PACKAGE=OFF >/dev/null
  say "made $folder"
}

test_packages() { # test_packages WORDS OF PYTEST…
  # shellcheck disable=SC2086
  install_missing $PACKAGE_TEST_PACKAGES ${LATCHKEY_LONG:+debootstrap}
  make_release
  say "testing the package"
  LATCHKEY_BINARY=$PWD/build/release/latchkey LATCHKEY_RELEASE=$PWD/build/release/release \
    /usr/bin/python3 -B -m pytest -q -p no:cacheprovider test/packages "$@"
}
