#pragma once

#include <vector>

#include "key/notice.hpp"
#include "store/sqlite/database.hpp"

namespace latchkey::store {

/// As KeyStore::notices_after().
Result<std::vector<Notice>> notices_after(Database& database, std::uint64_t after, std::size_t limit);

}  // namespace latchkey::store
