#include "store/sqlite/file_state.hpp"

#include <openssl/sha.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "store/sqlite/file_identity.hpp"

namespace latchkey::store {
namespace {

//   -shm, in words of four octets:  4 frames  6-7 checksum  8-9 salt  24 written back  32 being written back
//   -wal, in octets:                16-23 salt
// https://www.sqlite.org/walformat.html
constexpr std::size_t index_words = 33;
constexpr std::size_t digested_bytes = 256 * 1024;
using Index = std::array<std::uint32_t, index_words>;

std::uint64_t two_words(const Index& index, std::size_t at) { return std::uint64_t{index[at]} << 32U | index[at + 1]; }

void take(FileState& state, const Index& index) {
  state.frames = index[4];
  state.checksum = two_words(index, 6);
  state.salt = two_words(index, 8);
  state.written_back = index[24];
  state.being_written_back = index[32];
}

// A writer may be at it: what is read twice the same is whole.
Index read_index(const volatile std::uint32_t* shared) {
  Index index{};
  Index again{};
  for (int i = 0; i < 100; ++i) {
    for (std::size_t word = 0; word < index.size(); ++word) index[word] = shared[word];
    std::atomic_thread_fence(std::memory_order_acquire);
    for (std::size_t word = 0; word < again.size(); ++word) again[word] = shared[word];
    if (index == again) break;
  }
  return index;
}

std::uint64_t digest_of(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::uint64_t value = 0;
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

}  // namespace

Result<OpenFiles> OpenFiles::of(Database& database) {
  const auto failed = [](const char* why) {
    return Error(ErrorCode::unavailable, "the database is not available", why);
  };
  auto mode = database.prepare("PRAGMA journal_mode");
  if (!mode) return mode.error();
  if ((*mode)->step() != SQLITE_ROW || (*mode)->text(0) != "wal") return failed("the database is not in WAL mode");
  OpenFiles files;
  sqlite3_file_control(database.handle(), "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&files.database));
  constexpr int region_bytes = 32768;
  volatile void* region = nullptr;
  if (files.database == nullptr || files.database->pMethods == nullptr || files.database->pMethods->iVersion < 2 ||
      files.database->pMethods->xShmMap(files.database, 0, region_bytes, 0, &region) != SQLITE_OK ||
      region == nullptr) {
    return failed("the wal-index cannot be mapped");
  }
  files.index = static_cast<const volatile std::uint32_t*>(region);
  return files;
}

FileState FileState::of_names(const std::filesystem::path& path) {
  FileState state;
  struct stat file {};
  if (::stat(path.c_str(), &file) == 0) {
    state.device = file.st_dev;
    state.inode = file.st_ino;
    state.written_ns = static_cast<std::uint64_t>(file.st_mtim.tv_sec) * 1'000'000'000U +
                       static_cast<std::uint64_t>(file.st_mtim.tv_nsec);
  }
  if (::stat(database_file(path, 1).c_str(), &file) == 0 && file.st_size > 0) state.wal_inode = file.st_ino;
  return state;
}

FileState FileState::of(const std::filesystem::path& path, const OpenFiles& open, const FileState& last) {
  FileState state = of_names(path);
  if (state.same_database_file(last)) {
    state.digest = last.digest;
  } else {
    std::string head(digested_bytes, '\0');  // what is beyond the end stays zero
    const auto* methods = open.database->pMethods;
    static_cast<void>(methods->xRead(open.database, head.data(), static_cast<int>(head.size()), 0));
    state.digest = digest_of(head);
  }
  take(state, read_index(open.index));
  return state;
}

FileState FileState::of_closed(const std::filesystem::path& path) {
  FileState state = of_names(path);
  std::string head(digested_bytes, '\0');
  std::ifstream(path, std::ios::binary).read(head.data(), static_cast<std::streamsize>(head.size()));
  state.digest = digest_of(head);
  Index index{};
  std::ifstream shared(database_file(path, 2), std::ios::binary);
  shared.read(reinterpret_cast<char*>(index.data()), sizeof index);
  if (shared.gcount() == sizeof index && index[0] != 0) {
    take(state, index);
    return state;
  }
  state.written_back = state.being_written_back = no_index;
  std::array<std::uint32_t, 8> wal_head{};
  std::ifstream wal(database_file(path, 1), std::ios::binary);
  wal.read(reinterpret_cast<char*>(wal_head.data()), sizeof wal_head);
  if (wal.gcount() == sizeof wal_head) state.salt = std::uint64_t{wal_head[4]} << 32U | wal_head[5];
  return state;
}

bool written_behind(const FileState& known, const FileState& now) {
  if (known.inode == 0 || now.inode == 0 || now.wal_inode == 0 || now.wal_inode != known.wal_inode) return false;
  if (known.device != now.device || known.inode != now.inode) return true;
  if (known.written_ns == now.written_ns || known.digest == now.digest || known.salt != now.salt) return false;
  // Without an index no process has it open, and the last one to close it after a checkpoint has taken the -wal away.
  if (now.written_back == FileState::no_index) return true;
  return now.written_back == known.written_back && now.being_written_back == now.written_back;
}

bool same_content(const FileState& known, const FileState& now) {
  if (!known.same_database_file(now)) return false;
  if (now.frames == 0) return known.frames == 0 || known.written_back == known.frames;
  return known.frames == now.frames && known.checksum == now.checksum && known.salt == now.salt;
}

}  // namespace latchkey::store
