#include "http/uring/linux_ring.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace latchkey::http {
namespace {

// Memory that is shared with the kernel, and ends with this.
class Mapping {
 public:
  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (at_ != MAP_FAILED) ::munmap(at_, size_);
  }
  /// Descriptor -1: memory of our own.
  bool map(std::size_t size, int descriptor, off_t offset) {
    const int flags = descriptor < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED | MAP_POPULATE;
    size_ = size;
    at_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, descriptor, offset);
    return at_ != MAP_FAILED;
  }
  template <typename T>
  T* at(std::size_t offset = 0) const {
    return static_cast<T*>(static_cast<void*>(static_cast<char*>(at_) + offset));
  }

 private:
  void* at_ = MAP_FAILED;
  std::size_t size_ = 0;
};

class LinuxRing final : public RingKernel {
 public:
  ~LinuxRing() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// The call that failed; nullptr: none, and errno says why.
  const char* open();
  const RingMemory& memory() const override { return memory_; }
  void enable() override;
  void enter(unsigned to_submit, std::chrono::milliseconds wait) override;

 private:
  const char* map_queues(const io_uring_params& params);
  const char* register_buffers();
  int register_(unsigned opcode, void* argument, unsigned count) const {
    return static_cast<int>(::syscall(SYS_io_uring_register, descriptor_, opcode, argument, count));
  }

  Mapping queues_, entries_, buffers_, octets_;
  RingMemory memory_;
  int descriptor_ = -1;
  unsigned entered_ = 0;  // the descriptor for enter(): its number among the thread's registered rings if it is one
  unsigned flags_ = 0;    // of enter()
};

const char* LinuxRing::open() {
  io_uring_params params{};
  // Disabled until the thread is there that alone will use it; its completions are made when it asks for them.
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  params.cq_entries = Ring::completion_count;
  descriptor_ = static_cast<int>(::syscall(SYS_io_uring_setup, Ring::entry_count, &params));
  if (descriptor_ < 0) return "io_uring_setup";
  entered_ = static_cast<unsigned>(descriptor_);
  constexpr unsigned needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;
  if ((params.features & needed) != needed) return errno = ENOSYS, "io_uring_setup";
  if (const char* failed = map_queues(params)) return failed;
  return register_buffers();
}

const char* LinuxRing::map_queues(const io_uring_params& params) {
  const auto& sq = params.sq_off;
  const auto& cq = params.cq_off;
  const std::size_t size = std::max<std::size_t>(sq.array + params.sq_entries * sizeof(std::uint32_t),
                                                 cq.cqes + params.cq_entries * sizeof(io_uring_cqe));
  if (!queues_.map(size, descriptor_, IORING_OFF_SQ_RING)) return "mmap";
  if (!entries_.map(params.sq_entries * sizeof(io_uring_sqe), descriptor_, IORING_OFF_SQES)) return "mmap";
  for (std::uint32_t i = 0; i < params.sq_entries; ++i) queues_.at<std::uint32_t>(sq.array)[i] = i;
  memory_.submission_head = queues_.at<std::uint32_t>(sq.head);
  memory_.submission_tail = queues_.at<std::uint32_t>(sq.tail);
  memory_.completion_head = queues_.at<std::uint32_t>(cq.head);
  memory_.completion_tail = queues_.at<std::uint32_t>(cq.tail);
  memory_.entries = {entries_.at<io_uring_sqe>(), params.sq_entries};
  memory_.completions = {queues_.at<io_uring_cqe>(cq.cqes), params.cq_entries};
  return nullptr;
}

const char* LinuxRing::register_buffers() {
  if (!buffers_.map(Ring::buffer_count * sizeof(io_uring_buf), -1, 0)) return "mmap";
  if (!octets_.map(Ring::buffer_count * Ring::buffer_size, -1, 0)) return "mmap";
  memory_.buffers = {buffers_.at<io_uring_buf>(), Ring::buffer_count};
  memory_.buffer_octets = {octets_.at<char>(), Ring::buffer_count * Ring::buffer_size};
  io_uring_buf_reg group{};
  group.ring_addr = reinterpret_cast<std::uintptr_t>(memory_.buffers.data());
  group.ring_entries = Ring::buffer_count;
  group.bgid = Ring::buffer_group;
  return register_(IORING_REGISTER_PBUF_RING, &group, 1) == 0 ? nullptr : "io_uring_register(PBUF_RING)";
}

void LinuxRing::enable() {
  if (register_(IORING_REGISTER_ENABLE_RINGS, nullptr, 0) != 0) {
    throw std::system_error(errno, std::generic_category(), "io_uring_register(ENABLE_RINGS)");
  }
  io_uring_rsrc_update update{};
  update.offset = UINT32_MAX;  // any place
  update.data = static_cast<unsigned>(descriptor_);
  if (register_(IORING_REGISTER_RING_FDS, &update, 1) != 1) return;  // it goes without
  entered_ = update.offset;
  flags_ = IORING_ENTER_REGISTERED_RING;
}

// Nothing to do about an error but to try again, as the caller does in its next turn: what was not taken waits.
void LinuxRing::enter(unsigned to_submit, std::chrono::milliseconds wait) {
  if (wait < std::chrono::milliseconds(0)) {
    ::syscall(SYS_io_uring_enter, entered_, to_submit, 0, flags_, nullptr, std::size_t{0});
    return;
  }
  __kernel_timespec patience{};
  patience.tv_sec = wait.count() / 1000;
  patience.tv_nsec = wait.count() % 1000 * 1'000'000;
  io_uring_getevents_arg argument{};
  argument.ts = reinterpret_cast<std::uintptr_t>(&patience);
  const unsigned at_least = wait.count() == 0 ? 0 : 1;
  ::syscall(SYS_io_uring_enter, entered_, to_submit, at_least, flags_ | IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
            &argument, sizeof argument);
}

}  // namespace

Result<std::unique_ptr<RingKernel>> open_linux_ring() {
  auto ring = std::make_unique<LinuxRing>();
  if (const char* failed = ring->open()) {
    const int why = errno;
    return Error(ErrorCode::unavailable, fmt::format("{}: {}", failed, std::generic_category().message(why)));
  }
  return std::unique_ptr<RingKernel>(std::move(ring));
}

}  // namespace latchkey::http
