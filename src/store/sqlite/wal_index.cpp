#include "store/sqlite/wal_index.hpp"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "base/regular_file.hpp"
#include "store/sqlite/file_identity.hpp"

namespace latchkey::store {
namespace {

//   -shm  12 isInit:1  14 page size:2  16 mxFrame:4  32 salt-1:4  36 salt-2:4      (native byte order, salts as in
//   -wal) -wal  16 salt-1:4  20 salt-2:4 (big-endian); from 32 on, frames of a 24-byte header and a page
constexpr std::size_t index_header = 48;
constexpr std::size_t wal_header = 32;
constexpr std::size_t frame_header = 24;

std::string read_head(const std::filesystem::path& path, std::size_t size) {
  if (!check_regular(path)) return {};
  std::string head(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(size));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

template <class T>
T native(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// A page size of 65536 is written as 1.
std::uint64_t page_size(std::string_view index) {
  const std::uint32_t size = native<std::uint16_t>(index, 14);
  return (size & 0xfe00U) + ((size & 1U) << 16U);
}

}  // namespace

bool wal_index_fits(const std::filesystem::path& database) {
  const std::string index = read_head(database_file(database, 2), index_header);
  if (index.size() < index_header || index[12] == 0) return true;
  const std::string wal = read_head(database_file(database, 1), wal_header);
  const std::uint64_t frames = native<std::uint32_t>(index, 16);
  if (wal.size() < wal_header) return frames == 0;
  const bool same_salt = std::string_view(index).substr(32, 8) == std::string_view(wal).substr(16, 8);
  // A log that begins anew counts the salt up in the index first; its own header follows with the first frame.
  if (frames == 0) return same_salt || big_endian(index, 32) == big_endian(wal, 16) + 1;
  std::error_code none;
  const auto wal_bytes = std::filesystem::file_size(database_file(database, 1), none);
  return same_salt && !none && wal_bytes >= wal_header + frames * (frame_header + page_size(index));
}

}  // namespace latchkey::store
