#include "cli/key_import.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <set>

#include "base/regular_file.hpp"
#include "cli/import_line.hpp"
#include "cli/key_commands.hpp"
#include "cli/output.hpp"

namespace latchkey::cli {
namespace {

constexpr std::size_t max_import_bytes = 256U << 20U;
constexpr std::size_t lines_a_token = 500;  // a minted admin token lives for minutes
constexpr std::string_view repeat_remedy = "repeat the command: it makes no second key";

/// Where access keys go, and which lines of an earlier run are there.
class IssuedFile {
 public:
  static Result<IssuedFile> open(const std::string& path) {
    IssuedFile issued;
    if (path.empty()) return issued;
    auto file = open_regular(path, O_RDWR | O_CREAT | O_APPEND, Links::follow);
    if (!file) return file.error();
    auto text = read_to_end(file->get(), path, max_import_bytes);
    if (!text) return text.error();
    issued.file_ = std::move(*file);
    const auto whole = text->rfind('\n') == std::string::npos ? 0 : text->rfind('\n') + 1;
    // What a run that was killed has left of its last line is made anew.
    if (whole < text->size() && ::ftruncate(issued.file_.get(), static_cast<off_t>(whole)) != 0) {
      return Error(ErrorCode::unavailable, fmt::format("{} cannot be cut to its last whole line", path));
    }
    return issued.note(std::string_view(*text).substr(0, whole), path) ? Result<IssuedFile>(std::move(issued))
                                                                       : Error(ErrorCode::invalid, issued.wrong_);
  }

  bool has(const std::string& name) const { return names_.contains(name); }

  void add(const ImportLine& line, const json::value& answer) {
    const auto& object = answer.as_object();
    const std::string text =
        fmt::format(R"({{"line":{},"import":"{}","keyId":{},"userId":{},"accessKey":{}}})", line.number,
                    line.idempotency_key, json::serialize(object.at("key").at("keyId")),
                    json::serialize(object.at("key").at("userId")), json::serialize(object.at("accessKey")));
    if (file_.get() < 0) return write_secret_line(text, "the access key", repeat_remedy);
    if (!write_all(file_.get(), text + '\n'))
      throw std::runtime_error("the access key could not be written: repeat the command");
  }

 private:
  bool note(std::string_view text, const std::string& path) {
    for (std::size_t number = 1; !text.empty(); ++number) {
      const auto line = text.substr(0, text.find('\n'));
      text.remove_prefix(line.size() + 1);
      const auto parsed = parse_json(line);
      const auto* name = parsed && parsed->is_object() ? parsed->as_object().if_contains("import") : nullptr;
      if (name == nullptr || !name->is_string()) {
        wrong_ =
            fmt::format("{} is there already and its line {} is not of an import: name another file", path, number);
        return false;
      }
      names_.emplace(name->as_string());
    }
    return true;
  }

  Descriptor file_{-1};
  std::set<std::string, std::less<>> names_;
  std::string wrong_;
};

/// On a terminal, how far it is.
class Progress {
 public:
  explicit Progress(std::size_t all) : all_(all) {}
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
  }
  void at(std::size_t done) {
    if (!terminal_ || (done % 50 != 0 && done != all_)) return;
    constexpr std::size_t width = 30;
    const std::size_t full = width * done / std::max<std::size_t>(all_, 1);
    fmt::print(stderr, "\r[{:<{}}] {} of {}", std::string(full, '#'), width, done, all_);
    shown_ = true;
  }

 private:
  const std::size_t all_;
  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
};

int create_one(const ServiceAddress& service, const Secret& token, const ImportLine& line, IssuedFile& issued) {
  ApiCall call{"POST", "/v1/keys", json::object{}, {"Idempotency-Key: " + line.idempotency_key}};
  call.exact = members_of(line.body);
  return call_at(service, token, call, [&](const json::value& answer) { issued.add(line, answer); });
}

int import_lines(const Invocation& invocation, const std::vector<ImportLine>& lines, IssuedFile& issued) {
  Progress progress(lines.size());
  for (std::size_t at = 0; at < lines.size();) {
    const int code = as_admin(invocation, [&](const ServiceAddress& service, const Secret& token) -> int {
      for (const std::size_t end = std::min(at + lines_a_token, lines.size()); at < end; ++at) {
        progress.at(at);
        if (issued.has(lines[at].idempotency_key)) continue;
        if (const int failed = create_one(service, token, lines[at], issued); failed != exit_done) return failed;
      }
      return exit_done;
    });
    if (code == exit_done) continue;
    if (at < lines.size()) {
      fmt::print(stderr, "Line {} made no key; the {} before it are there. Mend it and repeat the command.\n",
                 lines[at].number, at);
    }
    return code;
  }
  progress.at(lines.size());
  return exit_done;
}

}  // namespace

int import_keys(const Invocation& invocation, const std::string& from, const std::string& output) {
  const auto form = import_form_of(from);
  if (!form) return complain(form.error());
  const auto text = read_regular(from, max_import_bytes, Links::follow);
  if (!text) return complain(text.error());
  const auto lines = read_import(*text, *form);
  if (!lines) return complain(lines.error());
  auto issued = IssuedFile::open(output);
  if (!issued) return complain(issued.error());
  const int code = import_lines(invocation, *lines, *issued);
  if (code == exit_done) fmt::print(stderr, "{} keys are there.\n", lines->size());
  return code;
}

}  // namespace latchkey::cli
