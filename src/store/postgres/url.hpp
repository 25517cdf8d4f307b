#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace latchkey::store::postgres {

/// What a connection is for, where the URL names several hosts: commands need the primary, a reader takes whichever
/// answers first unless the URL says otherwise (target_session_attrs).
enum class Server { primary, any };

/// The parameters of one connection, as libpq takes them: those of the URL, and ours where it is silent. A value.
class Url {
 public:
  /// `text`: postgresql://… or postgres://…, RFC 3986, with libpq's parameters (sslmode, sslrootcert, connect_timeout,
  /// …). ErrorCode::invalid with a text that repeats nothing of the URL: what cannot be read may be a piece of a
  /// password.
  static Result<Url> parse(std::string_view text);

  /// Ended by null pointers, for PQconnectdbParams(); valid while this lives.
  std::vector<const char*> names() const;
  std::vector<const char*> values(Server server) const;
  /// Hosts, ports and database, as the URL names them.
  std::string place() const;
  /// `text` without the password, should it stand there.
  std::string without_password(std::string text) const;

 private:
  struct Parameter {
    std::string name;
    std::string value;
  };
  std::string_view value_of(std::string_view name) const;
  void set_default(std::string_view name, std::string_view value);

  std::vector<Parameter> parameters_;
};

}  // namespace latchkey::store::postgres
