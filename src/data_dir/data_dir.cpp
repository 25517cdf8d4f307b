#include "data_dir/data_dir.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <thread>
#include <vector>

#include "base/file_error.hpp"
#include "data_dir/private_files.hpp"
#include "data_dir/small_file.hpp"

namespace latchkey::data_dir {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> urls_in(const fs::path& file) {
  const auto text = read_small_file(file);
  std::vector<std::string> urls;
  std::istringstream lines(text ? *text : "");
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) urls.push_back(line);
  }
  return urls;
}

}  // namespace

std::string_view to_string(Service service) { return service == Service::keys ? "keys" : "tokens"; }

Result<DataDir> DataDir::open_or_create(const fs::path& path) {
  std::error_code ec;
  const fs::path absolute = fs::absolute(path, ec);
  if (ec) return Error(ErrorCode::unavailable, fmt::format("cannot find {}: {}", path.string(), ec.message()));
  if (absolute.has_parent_path()) fs::create_directories(absolute.parent_path(), ec);
  const fs::path clean = absolute.lexically_normal();
  const auto tenure = private_directory(clean);
  if (!tenure) return tenure.error();
  for (const char* part : {"secrets", "secrets/signing", "logs", "state", "run"}) {
    if (const auto made = private_directory_in(*tenure, clean / part); !made) return made.error();
  }
  for (const char* part : {"secrets", "secrets/signing"}) {
    if (const auto kept = keep_secrets(clean / part); !kept) return kept.error();
  }
  return DataDir(clean);
}

fs::path DataDir::url_file(Service service) const { return path_ / "run" / (std::string(to_string(service)) + ".url"); }

Result<jwt::Ed25519PrivateKey> DataDir::load_admin_key() const {
  const auto pem = read_small_file(admin_key());
  if (!pem) return pem.error();
  auto key = jwt::Ed25519PrivateKey::from_pem(Secret(*pem));
  if (!key) return Error(ErrorCode::invalid, fmt::format("{}: {}", admin_key().string(), key.error().detail));
  return key;
}

Result<jwt::Ed25519PrivateKey> DataDir::load_or_create_admin_key() const {
  auto loaded = load_admin_key();
  if (loaded || loaded.error().code != ErrorCode::not_found) return loaded;
  const auto fresh = jwt::Ed25519PrivateKey::generate().to_pem();
  const auto written = write_small_file(admin_key(), fresh.reveal(), IfExists::keep);
  if (!written) return written.error();
  return load_admin_key();  // whichever process won the race, all go on with what is there
}

Result<Secret> DataDir::load_or_create_memo_secret(Random& random) const {
  const fs::path path = secrets() / "memos.key";
  std::array<std::uint8_t, 32> bytes{};
  auto kept = read_small_file(path);  // first: on a full disk what is there is enough
  if (!kept && kept.error().code == ErrorCode::not_found) {
    random.fill(bytes);
    const Secret fresh(std::string(bytes.begin(), bytes.end()));
    OPENSSL_cleanse(bytes.data(), bytes.size());
    if (auto written = write_small_file(path, fresh.reveal(), IfExists::keep); !written) return written.error();
    kept = read_small_file(path);
  }
  if (!kept) return kept.error();
  if (kept->size() != bytes.size()) {
    return Error(ErrorCode::invalid, path.string() + " is not 32 bytes; delete it, and a new one is made");
  }
  return Secret(std::move(*kept));
}

fs::path DataDir::lock_file(std::string_view name) const { return path_ / "run" / (std::string(name) + ".lock"); }

Result<RunLock> DataDir::lock(std::string_view name) const {
  auto taken = take_run_lock(lock_file(name));
  if (taken || taken.error().code != ErrorCode::conflict) return taken;
  return Error(ErrorCode::conflict, fmt::format("another `latchkey {}` runs on {}", name, path_.string()));
}

Result<RunLock> DataDir::share(std::string_view name) const {
  auto shared = share_run_lock(lock_file(name));
  if (shared || shared.error().code != ErrorCode::conflict) return shared;
  return Error(ErrorCode::conflict, fmt::format("a `latchkey store` command works on {}", path_.string()));
}

Result<std::vector<RunLock>> DataDir::lock_all() const {
  std::vector<RunLock> locks;
  for (const char* name : {"keys", "tokens", "relay"}) {
    std::error_code unknown;
    if (!fs::exists(lock_file(name), unknown)) continue;
    auto taken = lock(name);
    if (!taken) return taken.error();
    locks.push_back(std::move(*taken));
  }
  return locks;
}

Result<RunLock> DataDir::claim(Service service, std::chrono::milliseconds patience) const {
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    auto taken = lock(to_string(service));
    if (taken) ::unlink(url_file(service).c_str());
    if (taken || taken.error().code != ErrorCode::conflict) return taken;
    const auto longest = published_url(service) ? std::chrono::milliseconds(1000) : patience;
    if (std::chrono::steady_clock::now() - begin > longest) return taken;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

bool DataDir::runs(Service service) const { return is_run_locked(lock_file(to_string(service))); }

bool DataDir::ever_ran(Service service) const {
  std::vector<fs::path> traces{lock_file(to_string(service)), url_file(service)};
  if (service == Service::tokens) {
    traces.insert(traces.end(), {replicas(), view_snapshot(), limits(), memos(), replica_state(), request_log(),
                                 secrets() / "memos.key"});
  }
  return std::any_of(traces.begin(), traces.end(), [](const fs::path& trace) {
    std::error_code error;  // of what cannot be told: it may be there
    const auto type = fs::status(trace, error).type();
    return type == fs::file_type::regular || type == fs::file_type::none;
  });
}

bool DataDir::still_claimed(Service service, RunLock& claim) const {
  return hold_run_lock(claim, lock_file(to_string(service)));
}

Result<void> DataDir::publish_urls(Service service, std::span<const std::string> urls) const {
  return write_small_file(url_file(service), fmt::format("{}\n", fmt::join(urls, "\n")), IfExists::replace);
}

void DataDir::withdraw_urls(Service service, std::span<const std::string> urls) const {
  if (std::ranges::equal(urls_in(url_file(service)), urls)) ::unlink(url_file(service).c_str());
}

std::vector<std::string> DataDir::published_urls(Service service) const {
  return is_run_locked(lock_file(to_string(service))) ? urls_in(url_file(service)) : std::vector<std::string>();
}

std::optional<std::string> DataDir::published_url(Service service) const {
  auto urls = published_urls(service);
  return urls.empty() ? std::nullopt : std::optional(std::move(urls.front()));
}

}  // namespace latchkey::data_dir
