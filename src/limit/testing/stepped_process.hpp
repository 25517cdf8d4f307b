#pragma once

// For tests: a forked process that goes one machine instruction at a time (ptrace). What SIGKILL leaves of a shared
// mapping is what its stores have made of it at one of these instants, so looking after each step sees every state in
// which the process can die, of the code as compiled and without a hook in it.

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>

namespace latchkey::limit {

/// A T in memory that this process shares with those it forks.
template <class T>
class SharedWithChildren {
 public:
  SharedWithChildren() {
    void* page = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) throw std::bad_alloc();
    value_ = new (page) T();
  }
  ~SharedWithChildren() { ::munmap(value_, sizeof(T)); }
  SharedWithChildren(const SharedWithChildren&) = delete;
  SharedWithChildren& operator=(const SharedWithChildren&) = delete;
  T& operator*() const { return *value_; }
  T* operator->() const { return value_; }

 private:
  T* value_;
};

/// Forks; the child calls `prepare`, then what that returned, of which `after_each` sees every step in the parent.
/// Killed at its end.
inline void step_through(const std::function<std::function<void()>()>& prepare,
                         const std::function<void()>& after_each) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto work = prepare();
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    work();
    ::raise(SIGUSR1);  // the end
    ::_exit(0);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP) {
    throw std::runtime_error("the child did not stop, status " + std::to_string(status));
  }
  for (;;) {
    if (::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) throw std::runtime_error("cannot trace");
    if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) throw std::runtime_error("the child died");
    if (WSTOPSIG(status) == SIGUSR1) break;
    if (WSTOPSIG(status) != SIGTRAP) throw std::runtime_error("signal " + std::to_string(WSTOPSIG(status)));
    after_each();
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
}

}  // namespace latchkey::limit
