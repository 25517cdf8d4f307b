#include "view/memo_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/file_error.hpp"
#include "base/log.hpp"
#include "base/regular_file.hpp"
#include "jwt/openssl_ptr.hpp"

namespace latchkey::view {

using Mac = std::array<std::uint8_t, 16>;

struct MemoLog::Record {
  KeyId key_id;
  jwt::TokenDigest digest;
  IssueTime issued_at;
  std::array<std::uint8_t, 8> key_hint{};
  Mac mac{};

  bool hints_at(const Ed25519PublicKey& key) const { return std::equal(key_hint.begin(), key_hint.end(), key.begin()); }
};

/// One thread at a time.
class MemoLog::Sealer {
 public:
  explicit Sealer(const Secret& secret) {
    const jwt::OpensslPtr<EVP_MAC, &EVP_MAC_free> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    context_.reset(EVP_MAC_CTX_new(hmac.get()));
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    const auto* key = reinterpret_cast<const unsigned char*>(secret.reveal().data());
    if (!context_ || EVP_MAC_init(context_.get(), key, secret.reveal().size(), params) != 1) fail();
  }
  Mac seal(const Record& record, const Ed25519PublicKey& proof, std::string_view user_id) {
    if (EVP_MAC_init(context_.get(), nullptr, 0, nullptr) != 1) fail();
    add("latchkey memo 1");
    add({reinterpret_cast<const char*>(proof.data()), proof.size()});
    add({reinterpret_cast<const char*>(&record), offsetof(Record, mac)});
    add(user_id);
    std::array<std::uint8_t, 32> whole{};
    std::size_t size = 0;
    if (EVP_MAC_final(context_.get(), whole.data(), &size, whole.size()) != 1) fail();
    Mac mac;
    std::copy_n(whole.begin(), mac.size(), mac.begin());
    return mac;
  }

 private:
  [[noreturn]] static void fail() { throw std::runtime_error("OpenSSL has no HMAC-SHA-256"); }
  void add(std::string_view part) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(part.data());
    if (EVP_MAC_update(context_.get(), bytes, part.size()) != 1) fail();
  }
  jwt::OpensslPtr<EVP_MAC_CTX, &EVP_MAC_CTX_free> context_;
};

namespace {

std::optional<Issue> issue_of(const KeyRow& row, IssueTime issued_at) {
  if (issued_at == row.issued_at()) return Issue::current;
  const auto previous = row.previous();
  return previous && previous->issued_at == issued_at ? std::optional(Issue::earlier) : std::nullopt;
}

}  // namespace

MemoLog::MemoLog(std::filesystem::path path, const Secret& secret, const View& view)
    : path_(std::move(path)), view_(view), sealer_(std::make_unique<Sealer>(secret)) {}

MemoLog::~MemoLog() = default;

Result<std::unique_ptr<MemoLog>> MemoLog::open(const std::filesystem::path& path, const Secret& secret,
                                               const View& view) {
  static_assert(std::is_trivially_copyable_v<Record> && sizeof(Record) == 64);
  std::unique_ptr<MemoLog> log(new MemoLog(path, secret, view));
  {
    const MutexLock lock(log->mutex_);
    if (auto opened = log->open_file(); !opened) return opened.error();
  }
  return log;
}

Result<void> MemoLog::open_file() {
  auto file = open_regular(path_, O_RDWR | O_CREAT | O_APPEND);
  if (!file) return file.error();
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return cannot("look at", path_, errno);
  const std::uint64_t records = static_cast<std::uint64_t>(status.st_size) / sizeof(Record);
  const auto whole = static_cast<off_t>(records * sizeof(Record));
  if (whole != status.st_size && ::ftruncate(file->get(), whole) != 0) return cannot("shorten", path_, errno);
  file_ = std::move(*file);
  records_ = records;
  return {};
}

/// Others may have removed, replaced or shortened it; what is written to a file without a name nobody recalls.
bool MemoLog::follow_file() {
  struct stat ours {
  }, named{};
  const bool known = ::fstat(file_.get(), &ours) == 0 && ::lstat(path_.c_str(), &named) == 0;
  const bool same = known && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
  if (same && static_cast<std::uint64_t>(ours.st_size) == records_ * sizeof(Record)) return true;
  return open_file().has_value();
}

/// Two issues of each key, and some for those that rotate.
std::uint64_t MemoLog::most_records() const { return 2 * std::uint64_t{view_.key_count()} + 65'536; }

void MemoLog::append(const KeyRow& row, IssueTime issued_at, const jwt::TokenDigest& digest,
                     const Ed25519PublicKey& proof) {
  Record record{.key_id = row.id(), .digest = digest, .issued_at = issued_at};
  std::copy_n(proof.begin(), record.key_hint.size(), record.key_hint.begin());
  const MutexLock guard(mutex_);
  record.mac = sealer_->seal(record, proof, row.user_id());
  if (follow_file() && records_ < most_records()) {
    const ssize_t written = ::write(file_.get(), &record, sizeof record);
    if (written == static_cast<ssize_t>(sizeof record)) {
      ++records_;
      ++stats_.appended;
      return;
    }
    if (written > 0) (void)!::ftruncate(file_.get(), static_cast<off_t>(records_ * sizeof record));
  }
  ++stats_.left_out;
}

template <class Each>
void MemoLog::for_each_chunk(Each&& each) const {
  std::vector<Record> chunk(4096);
  for (std::uint64_t at = 0; at < records_;) {
    const ssize_t got =
        ::pread(file_.get(), chunk.data(), chunk.size() * sizeof(Record), static_cast<off_t>(at * sizeof(Record)));
    if (got < static_cast<ssize_t>(sizeof(Record))) return;  // what cannot be read is not remembered
    const std::size_t whole = static_cast<std::size_t>(got) / sizeof(Record);
    each(at, std::span<const Record>(chunk).first(whole));
    at += whole;
  }
}

void MemoLog::recall() {
  const MutexLock guard(mutex_);
  std::vector<bool> useful(std::min(records_, most_records()));
  std::uint64_t recalled = 0;
  for_each_chunk([&](std::uint64_t first, std::span<const Record> chunk) {
    const View::Reader reader(view_);
    const auto keys = reader.usable_keys();
    for (std::size_t i = 0; i < chunk.size() && first + i < useful.size(); ++i) {
      useful[first + i] = recall_one(reader, keys, chunk[i]);
      recalled += useful[first + i] ? 1 : 0;
    }
  });
  const std::uint64_t dropped = records_ - recalled;
  stats_.recalled = recalled;
  stats_.dropped = dropped;
  if (dropped > recalled) rewrite(useful, recalled);
}

bool MemoLog::recall_one(const View::Reader& reader, const std::vector<UsableKey>& keys, const Record& record) {
  const KeyRow* row = reader.find(record.key_id);
  const auto issue = row == nullptr ? std::nullopt : issue_of(*row, record.issued_at);
  if (!issue) return false;
  for (const UsableKey& key : keys) {
    if (!record.hints_at(key.public_key)) continue;
    const Mac mac = sealer_->seal(record, key.public_key, row->user_id());
    if (CRYPTO_memcmp(mac.data(), record.mac.data(), mac.size()) != 0) continue;
    if (reader.recall(*row, record.digest)) return false;  // a second record of the same
    View::Reader::remember(*row, *issue, record.digest, key);
    return true;
  }
  return false;
}

/// Beside it, then in its place: a crash leaves the one or the other.
void MemoLog::rewrite(const std::vector<bool>& useful, std::uint64_t count) {
  const std::string beside = path_.string() + ".new";
  ::unlink(beside.c_str());  // of an attempt that was cut off
  auto anew = open_regular(beside, O_RDWR | O_CREAT | O_EXCL | O_APPEND);
  if (!anew) return log_warning("memos: {}", anew.error().detail);
  bool good = true;
  for_each_chunk([&](std::uint64_t first, std::span<const Record> chunk) {
    std::vector<Record> kept;
    for (std::size_t i = 0; i < chunk.size() && first + i < useful.size(); ++i) {
      if (useful[first + i]) kept.push_back(chunk[i]);
    }
    const std::size_t bytes = kept.size() * sizeof(Record);
    good = good && ::write(anew->get(), kept.data(), bytes) == static_cast<ssize_t>(bytes);
  });
  if (!good || ::rename(beside.c_str(), path_.c_str()) != 0) {
    log_warning("memos: {}", cannot("write", beside, errno).detail);
    ::unlink(beside.c_str());
    return;
  }
  file_ = std::move(*anew);
  records_ = count;
}

}  // namespace latchkey::view
