#pragma once

// For tests: a disk that holds one ledger, and can lose its power.

#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "limit/local/ledger_file.hpp"

namespace latchkey::limit {

/// Outlives the storages that it makes.
class SimulatedDisk {
 public:
  std::unique_ptr<LedgerStorage> storage() { return std::make_unique<Storage>(*this); }

  /// Nothing can be written from now on, or it can again. What a failing append wrote may be there, or parts of it.
  void fail(bool failing) { failing_ = failing; }
  /// Of what no sync has confirmed any part may be left, damaged or not.
  void cut_power(std::mt19937_64& random) {
    std::string left = unsynced_.substr(0, unsynced_.empty() ? 0 : random() % (unsynced_.size() + 1));
    if (!left.empty() && random() % 2 == 0) left[random() % left.size()] ^= 0x55;
    synced_ += left;
    unsynced_.clear();
  }
  const std::string& synced() const { return synced_; }
  std::string& synced() { return synced_; }
  std::size_t appends() const { return appends_; }

 private:
  class Storage final : public LedgerStorage {
   public:
    explicit Storage(SimulatedDisk& disk) : disk_(disk) {}
    Result<std::string> read() override { return disk_.synced_ + disk_.unsynced_; }
    Result<void> replace(std::string_view octets) override {
      if (disk_.failing_) return Error(ErrorCode::unavailable, "the disk is full");
      disk_.synced_ = octets;
      disk_.unsynced_.clear();
      return {};
    }
    Result<void> append(std::string_view octets) override {
      disk_.unsynced_ += octets;
      if (disk_.failing_) return Error(ErrorCode::unavailable, "the disk is full");
      disk_.synced_ += disk_.unsynced_;
      disk_.unsynced_.clear();
      ++disk_.appends_;
      return {};
    }

   private:
    SimulatedDisk& disk_;
  };

  std::string synced_;
  std::string unsynced_;
  bool failing_ = false;
  std::size_t appends_ = 0;
};

}  // namespace latchkey::limit
