#include "redis/remedy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace latchkey::redis {
namespace {

bool is_command_name(std::string_view text) {
  return !text.empty() && text.size() < 40 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '|' || c == '.'; });
}

/// "… to run the 'xread' command …": the command, or else the one that was sent, which may be a script's.
std::string forbidden_command(std::string_view error, std::string_view sent) {
  constexpr std::string_view before = "to run the '";
  const auto at = error.find(before);
  if (at != error.npos) {
    const auto rest = error.substr(at + before.size());
    if (const auto name = rest.substr(0, rest.find('\'')); is_command_name(name)) return std::string(name);
  }
  std::string name(sent);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

/// Redis 7.0's; its code is ERR.
constexpr std::string_view of_script = "The user executing the script can't";

std::string without_permission(std::string_view error, std::string_view sent) {
  constexpr std::string_view where = "docs/operations.md lists what suffices";
  if (error.contains("key")) {
    return fmt::format("NOPERM: {} failed: the Redis user may not access its keys; ACL SETUSER <user> ~latchkey:*; {}",
                       sent, where);
  }
  if (error.contains(of_script)) {
    return fmt::format("NOPERM: {} failed: the Redis user may not run a command of this script; {}", sent, where);
  }
  const std::string command = forbidden_command(error, sent);
  return fmt::format("NOPERM: {} failed: the Redis user may not run '{}'; ACL SETUSER <user> +{}; {}", sent, command,
                     command, where);
}

}  // namespace

std::string refusal(std::string_view error, std::string_view sent) {
  // The rest of an error may repeat an argument.
  const std::string_view code = error.substr(0, error.find(' '));
  if (code == "NOPERM" || error.contains(of_script)) return without_permission(error, sent);
  if (error.starts_with("ERR unknown command")) {
    if (sent == "SENTINEL") return "this is no Redis Sentinel; a server of its own is redis://HOST:PORT";
    return fmt::format(
        "the server does not know {}: a Sentinel does not; to be led to its primary: "
        "redis-sentinel://HOST:PORT/PRIMARY-NAME",
        sent);
  }
  if (code == "NOAUTH") return fmt::format("NOAUTH: {} failed: the server wants a user and password in its URL", sent);
  if (code == "WRONGPASS") return "WRONGPASS: AUTH failed: no such user, another password, or the user is off";
  if (code == "READONLY") {
    return fmt::format(
        "READONLY: {} failed: the server is a replica; name the primary, or its Sentinels as redis-sentinel://", sent);
  }
  if (error.contains("DB index is out of range")) {
    return "SELECT failed: the server has no database of the URL's number; its setting `databases` says how many";
  }
  constexpr std::array<std::string_view, 3> of_cluster{"CROSSSLOT", "MOVED", "ASK"};
  if (std::find(of_cluster.begin(), of_cluster.end(), code) != of_cluster.end()) {
    return fmt::format("{}: {} failed: {}", code, sent, cluster);
  }
  return std::string(code);
}

Error with_remedy(Error error, std::string_view remedy) {
  if (error.internal.ends_with(": WRONGTYPE") || error.internal.ends_with(": ERR")) {
    error.internal.append("; if what stands there is not ours: ").append(remedy);
  }
  return error;
}

}  // namespace latchkey::redis
