#pragma once

// What every engine answers to KeyStore::audit(). As key_store_suite.hpp.

#include "store/testing/key_store_suite.hpp"

namespace latchkey::store {

class AuditSuite : public KeyStoreSuite {
 protected:
  /// As a command does.
  AccessKey change(AccessKey key, const std::string& action, const AuditNote& note = {});
  /// The seqs that the query answers, in its order.
  std::vector<std::uint64_t> seqs(const AuditQuery& query);
};

}  // namespace latchkey::store
