#include "addon/environment.hpp"

#include <pthread.h>

#include <csignal>
#include <thread>
#include <utility>

namespace latchkey::node {

Environment* Environment::create(napi_env env) {
  auto* const self = new Environment(env);
  napi_value buffer = nullptr, name = nullptr;
  void* bytes = nullptr;
  napi_create_arraybuffer(env, sizeof(Details), &bytes, &buffer);
  self->details_ = static_cast<Details*>(bytes);
  napi_create_reference(env, buffer, 1, &self->details_ref_);
  napi_create_string_utf8(env, "latchkey", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, on_task, &self->queue_);
  napi_unref_threadsafe_function(env, self->queue_);  // by itself it keeps no process alive
  self->mailbox_ = std::make_shared<Mailbox>(self->queue_);
  napi_set_instance_data(
      env, self, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr);
  napi_add_env_cleanup_hook(env, on_cleanup, self);
  return self;
}

Environment& Environment::of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

napi_value Environment::details_buffer(napi_env env) const {
  napi_value buffer = nullptr;
  napi_get_reference_value(env, details_ref_, &buffer);
  return buffer;
}

void Environment::begin() {
  if (owed_++ == 0) napi_ref_threadsafe_function(env_, queue_);
}

void Environment::finish() {
  if (--owed_ == 0) napi_unref_threadsafe_function(env_, queue_);
}

void Mailbox::post(Task task) {
  auto owned = std::make_unique<Task>(std::move(task));
  const std::lock_guard lock(mutex_);
  if (queue_ == nullptr) return;
  if (napi_call_threadsafe_function(queue_, owned.get(), napi_tsfn_nonblocking) == napi_ok) (void)owned.release();
}

void Mailbox::close() {
  const std::lock_guard lock(mutex_);
  napi_release_threadsafe_function(std::exchange(queue_, nullptr), napi_tsfn_abort);
}

void Environment::on_task(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Mailbox::Task> task(static_cast<Mailbox::Task*>(data));
  if (env == nullptr) return;  // the environment is ending: nobody listens
  (*task)(env);
}

// Signals are Node's: none is delivered to a thread of ours.
void Environment::run(std::move_only_function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    ++running_;
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([this, work = std::move(work)]() mutable {
    work();
    work = nullptr;
    const std::lock_guard lock(mutex_);
    --running_;
    ended_.notify_all();
  }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::uint32_t Environment::add(std::shared_ptr<Core> core) {
  handles_.push_back(std::make_unique<Handle>(std::move(core)));
  return static_cast<std::uint32_t>(handles_.size() - 1);
}

Handle* Environment::find(std::uint32_t number) { return number < handles_.size() ? handles_[number].get() : nullptr; }

void Environment::remove(std::uint32_t number) {
  if (number < handles_.size()) handles_[number].reset();
}

void Environment::close_all() {
  for (auto& handle : handles_) handle.reset();
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return running_ == 0; });
}

void Environment::on_cleanup(void* data) {
  auto& self = *static_cast<Environment*>(data);
  self.close_all();
  self.mailbox_->close();
  napi_delete_reference(self.env_, std::exchange(self.details_ref_, nullptr));  // Node frees it for worker threads only
}

}  // namespace latchkey::node
