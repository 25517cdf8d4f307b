#include "supervise/supervisor.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/log.hpp"
#include "http_client/http_client.hpp"

namespace latchkey::supervise {
namespace {

using Clock = std::chrono::steady_clock;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGCHLD);
  return set;
}

enum class SignalRequest { none, stop, reload };

/// What came within `milliseconds`. A SIGHUP that somebody sent asks to reload; the kernel's says that the terminal is
/// gone, and with it the person to press Ctrl-C.
SignalRequest wait_for_signal(long milliseconds) {
  const sigset_t set = watched_signals();
  const timespec timeout{milliseconds / 1000, (milliseconds % 1000) * 1'000'000};
  siginfo_t about{};
  switch (::sigtimedwait(&set, &about, &timeout)) {
    case SIGINT:
    case SIGTERM:
      return SignalRequest::stop;
    case SIGHUP:
      return about.si_code == SI_KERNEL ? SignalRequest::stop : SignalRequest::reload;
    default:
      return SignalRequest::none;
  }
}

std::vector<std::string> child_environment(const config::Settings& settings) {
  auto environment = config::settings_environment(settings);
  environment.emplace_back("LATCHKEY_CONFIG=");  // no file: everything is resolved
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("LATCHKEY_")) environment.emplace_back(*entry);
  }
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// In the child, between fork and exec: system calls only.
[[noreturn]] void become(pid_t parent, char* const* arguments, char* const* environment) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);  // it died before the line above
  sigset_t set = watched_signals();
  sigdelset(&set, SIGHUP);  // waits until the service takes it
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);  // stdout is the tour's
  ::execve("/proc/self/exe", arguments, environment);
  ::_exit(127);
}

std::string cause(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("ended with code {}", WEXITSTATUS(status));
}

}  // namespace

Supervisor::Supervisor(std::string program, const config::Settings& settings, const data_dir::DataDir& data)
    : program_(std::move(program)),
      environment_(child_environment(settings)),
      data_(data),
      certificate_(settings.tls_cert),
      children_{Child{data_dir::Service::keys, 0, {}, {}, 0}, Child{data_dir::Service::tokens, 0, {}, {}, 0}} {
  const sigset_t set = watched_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

void Supervisor::start(Child& child) {
  std::vector<std::string> words{program_, std::string(to_string(child.service))};
  const auto arguments = pointers(words);
  const auto environment = pointers(environment_);
  const pid_t parent = ::getpid();
  child.started = Clock::now();
  child.pid = ::fork();
  if (child.pid == 0) become(parent, arguments.data(), environment.data());
  if (child.pid > 0) return;
  child.pid = 0;
  child.start_again = child.started + std::chrono::seconds(1);
  log_error("cannot start {}: {}", to_string(child.service), std::strerror(errno));
}

void Supervisor::start_due() {
  for (auto& child : children_) {
    if (child.pid == 0 && Clock::now() >= child.start_again) start(child);
  }
}

bool Supervisor::note_death(Child& child, int status) {
  const bool quick = Clock::now() - child.started < quick_failure_lifetime;
  child.pid = 0;
  if (!told_ && quick && WIFEXITED(status)) return false;  // it has said why
  child.quick_failures = quick ? child.quick_failures + 1 : 1;
  if (child.quick_failures >= max_quick_failures) {
    log_error("{} {}, {} times in a row: giving up", to_string(child.service), cause(status), child.quick_failures);
    return false;
  }
  const auto pause = std::chrono::milliseconds(100 << child.quick_failures);
  child.start_again = Clock::now() + pause;
  log_warning("{} {}; starting it again in {} ms", to_string(child.service), cause(status), pause.count());
  return true;
}

bool Supervisor::reap() {
  int status = 0;
  for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0; pid = ::waitpid(-1, &status, WNOHANG)) {
    const auto child = std::find_if(children_.begin(), children_.end(), [&](const auto& c) { return c.pid == pid; });
    if (child != children_.end() && !note_death(*child, status)) return false;
  }
  return true;
}

bool Supervisor::all_ready() const {
  return std::all_of(children_.begin(), children_.end(), [&](const Child& child) {
    const auto url = child.pid == 0 ? std::nullopt : data_.published_url(child.service);
    if (!url) return false;
    const auto reply = http_client::send({"GET", http_client::target_at(*url, "/readyz"), {}, {}, {}, certificate_},
                                         std::chrono::seconds(2));
    return reply && reply->status == 200;
  });
}

void Supervisor::tell_all(int signal) const {
  for (const auto& child : children_) {
    if (child.pid > 0) ::kill(child.pid, signal);
  }
}

/// Asks, waits, and in the end insists.
void Supervisor::stop_all() {
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  tell_all(SIGTERM);
  for (auto& child : children_) {
    while (child.pid > 0 && ::waitpid(child.pid, nullptr, WNOHANG) == 0) {
      if (Clock::now() > deadline) ::kill(child.pid, SIGKILL);
      wait_for_signal(20);
    }
    child.pid = 0;
  }
}

int Supervisor::run(const std::function<void()>& when_ready) {
  const auto begun = Clock::now();
  for (;;) {
    start_due();
    const SignalRequest request = wait_for_signal(told_ ? 100 : 20);
    if (request == SignalRequest::stop) return stop_all(), 0;
    if (request == SignalRequest::reload) tell_all(SIGHUP);
    if (!reap()) return stop_all(), 1;
    if (!told_ && all_ready()) {
      when_ready();
      told_ = true;
    }
    if (!told_ && !warned_ && Clock::now() > begun + long_start) {
      log_warning("not ready after {} s; GET /readyz of each service says why", long_start.count());
      warned_ = true;
    }
  }
}

}  // namespace latchkey::supervise
