#pragma once

// What belongs to one JavaScript environment: the main thread, or one worker thread. Kept as its instance data, never
// in a static. All but post() is called on the environment's thread.

#include <node_api.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "addon/core.hpp"

namespace latchkey::node {

/// Where the details of a verdict are left for JavaScript: 16 numbers, then octets.
struct Details {
  enum Index : std::size_t { remaining, reset, retry_after, slot, fresh, limit, key_id_size, user_id_size, charged };
  static constexpr std::size_t numbers = 16;
  static constexpr std::size_t octets = 256;  // key id, user id
  static constexpr std::uint32_t no_slot = UINT32_MAX;
  static constexpr std::uint32_t nothing_remains_to_tell = UINT32_MAX;  // `remaining`, where no limit refuses

  std::uint32_t number[numbers];
  char octet[octets];
};

/// A core that JavaScript opened, and of which keys JavaScript already has the names: direct mapped, so that it is
/// bounded and a name is made once, not at each request.
struct Handle {
  struct Known {
    KeyId key;
    Version version;
  };
  static constexpr std::size_t slots = 4096;

  explicit Handle(std::shared_ptr<Core> opened) : core(std::move(opened)), known(slots) {}
  std::shared_ptr<Core> core;  // null: closed, though verdicts that were begun may still come
  std::vector<Known> known;
};

/// The way to an environment's thread, which may outlive the environment. Any thread.
class Mailbox {
 public:
  using Task = std::move_only_function<void(napi_env)>;
  explicit Mailbox(napi_threadsafe_function queue) : queue_(queue) {}
  /// Runs `task` on the environment's thread, unless the environment is gone by then.
  void post(Task task);
  /// The environment's own: nothing is delivered from now on.
  void close();

 private:
  std::mutex mutex_;
  napi_threadsafe_function queue_;  // guarded by mutex_; null: closed
};

class Environment {
 public:
  static Environment* create(napi_env env);
  static Environment& of(napi_env env);

  Details& details() { return *details_; }
  /// What does not go in numbers: header lines, an empty line, a problem document. Of the last verdict with
  /// Details::charged.
  std::string& text() { return text_; }
  napi_value details_buffer(napi_env env) const;

  /// Work is owed to JavaScript: the process stays until finish() was called as often.
  void begin();
  void finish();
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  /// Runs `work` on a thread of its own; the environment waits for it when it ends.
  void run(std::move_only_function<void()> work);

  std::uint32_t add(std::shared_ptr<Core> core);
  /// null: there never was one, or it was removed.
  Handle* find(std::uint32_t number);
  void remove(std::uint32_t number);
  /// All of them, at once. May be called twice.
  void close_all();

 private:
  explicit Environment(napi_env env) : env_(env) {}
  static void on_task(napi_env env, napi_value, void*, void* data);
  static void on_cleanup(void* self);

  napi_env env_;
  Details* details_ = nullptr;  // within details_ref_
  napi_ref details_ref_ = nullptr;
  std::string text_;
  napi_threadsafe_function queue_ = nullptr;  // the mailbox's
  std::shared_ptr<Mailbox> mailbox_;
  unsigned owed_ = 0;
  std::vector<std::unique_ptr<Handle>> handles_;  // by number; null: closed

  std::mutex mutex_;
  std::condition_variable ended_;
  unsigned running_ = 0;  // guarded by mutex_
};

}  // namespace latchkey::node
