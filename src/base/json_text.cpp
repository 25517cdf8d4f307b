#include "base/json_text.hpp"

#include <algorithm>
#include <charconv>

#include "base/json.hpp"

namespace latchkey {
namespace {

constexpr std::string_view white_space = " \t\r\n";

enum class Order : std::uint8_t { as_sent, by_name };

/// Reads one value after the other off the front of a sound text.
class TextReader {
 public:
  TextReader(std::string_view text, Order order) : rest_(text), order_(order) {}

  std::string take_value() {
    switch (peek()) {
      case '{':
        return object_of(take_members());
      case '[':
        return take_array();
      case '"':
        return take_string();
      default:
        return std::string(take(std::min(rest_.find_first_of(",]} \t\r\n"), rest_.size())));
    }
  }

  std::vector<JsonMember> take_members() {
    std::vector<JsonMember> members;
    for (take(1); peek() != '}';) {
      if (peek() == ',') take(1);
      peek();
      std::string name = decoded(take_quoted());
      peek();
      take(1);  // the colon
      members.push_back({std::move(name), take_value()});
    }
    take(1);
    if (order_ == Order::by_name) std::sort(members.begin(), members.end(), comes_first);
    return members;
  }

  std::vector<std::string> take_elements() {
    std::vector<std::string> elements;
    for (take(1); peek() != ']' && !rest_.empty();) {
      if (rest_.front() == ',') take(1);
      elements.push_back(take_value());
    }
    take(1);
    return elements;
  }

 private:
  static bool comes_first(const JsonMember& a, const JsonMember& b) { return a.name < b.name; }

  /// The next character that is no white space; 0: none.
  char peek() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(white_space), rest_.size()));
    return rest_.empty() ? '\0' : rest_.front();
  }

  std::string_view take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view take_quoted() {
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    return take(end + 1);
  }

  static std::string decoded(std::string_view quoted) {
    if (!quoted.contains('\\')) return std::string(quoted.substr(1, quoted.size() - 2));
    const auto value = parse_json(quoted);
    return value && value->is_string() ? std::string(value->get_string()) : std::string(quoted);
  }

  std::string take_string() {
    const std::string_view quoted = take_quoted();
    if (!quoted.contains('\\')) return std::string(quoted);
    std::string out;
    append_json_string(out, decoded(quoted));
    return out;
  }

  std::string take_array() {
    std::string out;
    for (const auto& element : take_elements()) out.append(out.empty() ? "[" : ",").append(element);
    return out.append(out.empty() ? "[]" : "]");
  }

  std::string_view rest_;
  const Order order_;
};

bool all_zero(std::string_view digits) { return digits.find_first_not_of('0') == std::string_view::npos; }

/// Takes "e+12" off the end; an exponent that is out of all bounds comes as the nearest.
std::int64_t take_exponent(std::string_view& number) {
  constexpr std::int64_t bound = 1'000'000;  // no text is as long
  const auto at = number.find_first_of("eE");
  if (at == std::string_view::npos) return 0;
  std::string_view digits = number.substr(at + 1);
  number = number.substr(0, at);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const bool negative = digits.starts_with('-');
  std::int64_t exponent = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  if (error != std::errc()) return negative ? -bound : bound;
  return std::clamp(exponent, -bound, bound);
}

}  // namespace

std::string compact_json(std::string_view text) { return TextReader(text, Order::as_sent).take_value(); }

std::string canonical_json(std::string_view text) { return TextReader(text, Order::by_name).take_value(); }

std::vector<JsonMember> members_of(std::string_view object) {
  object.remove_prefix(std::min(object.find_first_not_of(white_space), object.size()));
  return TextReader(object, Order::as_sent).take_members();
}

std::vector<std::string> elements_of(std::string_view array) {
  array.remove_prefix(std::min(array.find_first_not_of(white_space), array.size()));
  return TextReader(array, Order::as_sent).take_elements();
}

std::string object_of(const std::vector<JsonMember>& members) {
  std::string out;
  for (const auto& member : members) {
    out += out.empty() ? '{' : ',';
    append_json_string(out, member.name);
    out.append(":").append(member.value);
  }
  return out.append(out.empty() ? "{}" : "}");
}

// 12.30e1 is the digits 1230 with the point after the third: whole, since all that follow are 0.
std::optional<std::int64_t> whole_number_of(std::string_view number) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const std::int64_t exponent = take_exponent(number);
  const auto point = std::min(number.find('.'), number.size());
  std::string digits(number.substr(0, point));
  digits += number.substr(std::min(point + 1, number.size()));
  if (all_zero(digits)) return 0;
  const std::int64_t whole = static_cast<std::int64_t>(point) + exponent;  // so many digits stand before the point
  const auto kept = static_cast<std::size_t>(std::clamp<std::int64_t>(whole, 0, std::ssize(digits)));
  if (!all_zero(std::string_view(digits).substr(kept))) return std::nullopt;
  constexpr std::int64_t most_digits = 20;
  digits.resize(kept);
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  const std::int64_t zeros = whole - static_cast<std::int64_t>(kept);
  digits.append(static_cast<std::size_t>(std::clamp<std::int64_t>(zeros, 0, most_digits)), '0');
  if (negative) digits.insert(0, "-");
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc()) return value;
  return negative ? INT64_MIN : INT64_MAX;
}

}  // namespace latchkey
