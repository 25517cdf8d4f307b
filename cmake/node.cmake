# The addon is loaded into Node, which exports its own OpenSSL and zlib: whatever is linked dynamically under these names
# is Node's. So libcrypto, SQLite and zlib come from their archives, hidden by the version script of clients/node/addon.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(LATCHKEY_BOOST_LIBRARIES)  # Debian's archive of Boost.JSON is not position independent: see addon/boost_json.cpp
set(OPENSSL_USE_STATIC_LIBS ON)
find_library(SQLite3_LIBRARY NAMES libsqlite3.a REQUIRED)
add_compile_options(-ffunction-sections -fdata-sections)
add_compile_definitions(FMT_HEADER_ONLY)
