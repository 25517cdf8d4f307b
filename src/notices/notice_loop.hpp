#pragma once

// The threads that make notices, and send them to each target.

#include <memory>
#include <vector>

#include "base/random.hpp"
#include "base/wakeable_thread.hpp"
#include "notices/notice_maker.hpp"
#include "notices/notice_sender.hpp"
#include "notices/webhook.hpp"

namespace latchkey::notices {

class NoticeLoop {
 public:
  NoticeLoop(store::KeyStore& store, const Clock& clock, Random& random, std::vector<NoticeTarget> targets);
  /// Waits for what is under way: a delivery takes 10 s at most.
  ~NoticeLoop();
  NoticeLoop(const NoticeLoop&) = delete;
  NoticeLoop& operator=(const NoticeLoop&) = delete;

 private:
  void make();

  struct Sending {
    Sending(store::KeyStore& store, const Clock& clock, NoticeTarget to, std::string owner);
    NoticeTarget target;
    NoticeSender sender;
    WakeableThread thread;
  };

  NoticeMaker maker_;
  std::vector<std::unique_ptr<Sending>> sendings_;
  WakeableThread thread_;
};

}  // namespace latchkey::notices
