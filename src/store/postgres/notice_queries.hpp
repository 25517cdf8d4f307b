#pragma once

#include <vector>

#include "key/notice.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::store::postgres {

/// As KeyStore::notices_after().
Result<std::vector<Notice>> notices_after(Connection& connection, std::uint64_t after, std::size_t limit);

}  // namespace latchkey::store::postgres
