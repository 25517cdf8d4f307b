# The Debian package: `./dev release`. Units, manual page and completions are made from one source each.
option(LATCHKEY_PACKAGE "Make what the Debian package has beside the program" OFF)
set(LATCHKEY_RELEASE_DATE "1970-01-01" CACHE STRING "Of the manual page")
install(TARGETS latchkey DESTINATION bin)
if(NOT LATCHKEY_PACKAGE)
  return()
endif()

set(files ${CMAKE_BINARY_DIR}/package)
file(MAKE_DIRECTORY ${files})

function(latchkey_unit service description after watchdog)
  configure_file(${CMAKE_SOURCE_DIR}/packaging/systemd/latchkey.service.in ${files}/latchkey-${service}.service @ONLY)
  install(FILES ${files}/latchkey-${service}.service DESTINATION /lib/systemd/system)
endfunction()
latchkey_unit(keys "Access Key Management" "" "WatchdogSec=30s")
latchkey_unit(tokens "Token Information" " latchkey-keys.service" "WatchdogSec=30s")
latchkey_unit(relay "the relay from the store to Redis" " latchkey-keys.service" "")

set(pages ${files}/latchkey.1.gz ${files}/latchkey.bash ${files}/_latchkey ${files}/latchkey.fish)
add_custom_command(OUTPUT ${pages} DEPENDS latchkey
  COMMAND $<TARGET_FILE:latchkey> man --date=${LATCHKEY_RELEASE_DATE} > ${files}/latchkey.1
  COMMAND gzip -9nf ${files}/latchkey.1
  COMMAND $<TARGET_FILE:latchkey> completion bash > ${files}/latchkey.bash
  COMMAND $<TARGET_FILE:latchkey> completion zsh > ${files}/_latchkey
  COMMAND $<TARGET_FILE:latchkey> completion fish > ${files}/latchkey.fish VERBATIM)
add_custom_command(OUTPUT ${files}/CHANGELOG.md.gz DEPENDS ${CMAKE_SOURCE_DIR}/CHANGELOG.md
  COMMAND gzip -9nc ${CMAKE_SOURCE_DIR}/CHANGELOG.md > ${files}/CHANGELOG.md.gz VERBATIM)
add_custom_target(package-files ALL DEPENDS ${pages} ${files}/CHANGELOG.md.gz)

install(FILES ${files}/latchkey.1.gz DESTINATION share/man/man1)
install(FILES ${files}/latchkey.bash DESTINATION share/bash-completion/completions RENAME latchkey)
install(FILES ${files}/_latchkey DESTINATION share/zsh/vendor-completions)
install(FILES ${files}/latchkey.fish DESTINATION share/fish/vendor_completions.d)
install(FILES ${files}/CHANGELOG.md.gz DESTINATION share/doc/latchkey)
install(FILES packaging/debian/copyright DESTINATION share/doc/latchkey)
install(FILES packaging/grafana/latchkey.json packaging/prometheus/latchkey.rules.yaml DESTINATION share/doc/latchkey/examples)
install(DIRECTORY examples/proxies DESTINATION share/doc/latchkey/examples)
install(FILES packaging/systemd/latchkey.sysusers DESTINATION lib/sysusers.d RENAME latchkey.conf)
install(FILES packaging/debian/latchkey.toml DESTINATION /etc/latchkey)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME latchkey)
set(CPACK_PACKAGE_CONTACT "Latchkey <latchkey@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "access keys for APIs: issue, limit and revoke them")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Two services. One lets admins create, limit, rotate and revoke access
keys; the other answers a proxy, or a program, whether a request may
pass. A limit is never exceeded in any interval, and a revocation is
confirmed once it holds everywhere.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "tzdata")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/debian/postinst ${CMAKE_SOURCE_DIR}/packaging/debian/prerm
  ${CMAKE_SOURCE_DIR}/packaging/debian/postrm ${CMAKE_SOURCE_DIR}/packaging/debian/conffiles)
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_BINARY_DIR}/release)
include(CPack)
