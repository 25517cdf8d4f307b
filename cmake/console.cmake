# The console of web/console: one script and one style, bundled by esbuild with the library Mithril, both from Debian
# (docs/decisions/the-console-is-built-from-debian.md). Nothing is fetched, and Node does not run.
function(latchkey_console)
  find_program(LATCHKEY_ESBUILD esbuild)
  find_path(LATCHKEY_MITHRIL mithril/hyperscript.js PATHS /usr/lib/nodejs /usr/share/nodejs NO_DEFAULT_PATH)
  if(NOT LATCHKEY_ESBUILD OR NOT LATCHKEY_MITHRIL)
    message(FATAL_ERROR "The console needs esbuild and Mithril: apt-get install esbuild node-mithril")
  endif()
  set(source ${CMAKE_SOURCE_DIR}/web/console)
  set(built ${CMAKE_BINARY_DIR}/console)
  file(GLOB parts CONFIGURE_DEPENDS ${source}/*.js)
  add_custom_command(OUTPUT ${built}/console.js ${built}/console.css
    COMMAND ${CMAKE_COMMAND} -E env NODE_PATH=${LATCHKEY_MITHRIL} ${LATCHKEY_ESBUILD} main.js console.css --bundle --minify
            --target=es2020 --charset=utf8 --log-level=warning
            --log-override:import-is-undefined=error --outdir=${built}
            "--banner:js=/* With Mithril.js, (c) 2017 Leo Horie, MIT licence */"
    COMMAND ${CMAKE_COMMAND} -E rename ${built}/main.js ${built}/console.js
    DEPENDS ${parts} ${source}/console.css
    WORKING_DIRECTORY ${source} VERBATIM)
  latchkey_embed(pages console_html web/console/index.html)
  latchkey_embed(pages console_js ${built}/console.js)
  latchkey_embed(pages console_css ${built}/console.css)
endfunction()
