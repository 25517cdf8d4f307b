#include "store/audit.hpp"

namespace latchkey::store {

bool same_row(const Change& one, const Change& other) {
  if (one.row.index() != other.row.index()) return false;
  if (const auto* key = std::get_if<AccessKey>(&one.row)) return key->id == std::get<AccessKey>(other.row).id;
  if (const auto* key = std::get_if<SigningKey>(&one.row)) return key->kid == std::get<SigningKey>(other.row).kid;
  if (const auto* plan = std::get_if<Plan>(&one.row)) return plan->name == std::get<Plan>(other.row).name;
  return std::get<User>(one.row).user_id == std::get<User>(other.row).user_id;
}

std::string clipped(std::string_view text, std::size_t most) {
  if (text.size() > most) {
    text = text.substr(0, most);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.remove_suffix(1);
    if (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0) text.remove_suffix(1);
  }
  return std::string(text);
}

}  // namespace latchkey::store
