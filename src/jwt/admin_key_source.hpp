#pragma once

#include <functional>

namespace latchkey::jwt {

/// Where the keys of an AdminVerifier come from, as far as it matters to users of the verifier. Any thread may call.
class AdminKeySource {
 public:
  virtual ~AdminKeySource() = default;
  /// False: the keys are too old to be believed, or there are none yet.
  virtual bool usable() const { return true; }
  /// For a token of an unknown key: the keys may have been rotated. `then` is called once, from another thread, after
  /// they have been read anew, or could not be. False, and it is not called: there is nothing to read, or too many wait.
  virtual bool when_renewed(std::function<void()> /*then*/) { return false; }
};

}  // namespace latchkey::jwt
