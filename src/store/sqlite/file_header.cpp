#include "store/sqlite/file_header.hpp"

#include <array>
#include <fstream>
#include <string_view>

#include "base/regular_file.hpp"
#include "store/sqlite/schema.hpp"

namespace latchkey::store {
namespace {

using namespace std::string_view_literals;

// https://www.sqlite.org/fileformat2.html#the_database_header
constexpr std::size_t header_bytes = 100;
constexpr std::string_view sqlite_magic = "SQLite format 3\0"sv;
constexpr std::size_t application_id_at = 68;  // 4 bytes, big-endian

Error refused(const std::filesystem::path& file, const char* why) {
  return Error(ErrorCode::conflict, file.string() + why);
}

}  // namespace

Result<void> check_header(const std::filesystem::path& file) {
  if (const auto usable = check_regular(file, Links::follow); !usable) return usable.error();
  std::ifstream in(file, std::ios::binary);
  std::array<char, header_bytes> bytes{};
  if (!in) return Error(ErrorCode::unavailable, "cannot read " + file.string());
  in.read(bytes.data(), bytes.size());
  if (in.gcount() == 0) return refused(file, " is empty");
  const std::string_view header(bytes.data(), static_cast<std::size_t>(in.gcount()));
  if (header.size() < header_bytes || !header.starts_with(sqlite_magic))
    return refused(file, " is not an SQLite database");
  std::int64_t application = 0;
  for (const char byte : header.substr(application_id_at, 4)) application = application << 8 | std::uint8_t(byte);
  return application == application_id ? Result<void>() : refused(file, " is not a database of Latchkey's");
}

}  // namespace latchkey::store
