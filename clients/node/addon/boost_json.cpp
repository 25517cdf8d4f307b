// Boost.JSON, compiled into the addon: its archive in Debian is for programs only.
#include <boost/json/src.hpp>
