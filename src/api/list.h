// Lists as answers. A list is taken from the store whole before its first octet goes out: no reader of the store waits
// for the network, and what is sent is of one moment. What is small stays in memory, the rest lies in a file without a
// name.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "api/exchange.h"
#include "base/progress.h"
#include "base/result.h"
#include "instance/instance.h"
#include "spool/spool.h"

namespace spl::api {

inline constexpr std::size_t kListHeldBytesMax = 128u << 10;  // of one list, in memory

// Of all lists together.
struct ListLimits {
  std::size_t readings = 4;                    // that are taken from the store at a time: each may sort a whole thread
  std::uint64_t unsent_bytes = 1ull << 30;     // in files: where there are more, no further list begins
  std::chrono::milliseconds patience{10'000};  // of a list for its turn
  // Of the room in files each is asked for when it needs some: what is short needs none.
  bool asks_late = false;
};

// Whose turn it is. Any thread; outlives its lists.
class ListTurns {
 public:
  explicit ListTurns(const ListLimits& limits) : limits_(limits) {}
  // Waits for a turn; false where none came in time. An error where `asker` is cancelled meanwhile.
  Result<bool> begin(env::Clock& clock, base::Progress& asker);
  void end();
  [[nodiscard]] bool has_room();  // for what asks late
  void add_unsent(std::uint64_t bytes);
  void drop_unsent(std::uint64_t bytes);

 private:
  const ListLimits limits_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::size_t readings_ = 0;
  std::uint64_t unsent_bytes_ = 0;
};

// One list. One thread: the connection's.
class List {
 public:
  List(ListTurns& turns, instance::Instance& instance, Exchange& exchange)
      : turns_(turns), instance_(instance), exchange_(exchange) {}
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() { turns_.drop_unsent(spooled_bytes()); }

  // When its turn comes: has `walk` add() what the reader shows. The reader has ended when it returns. Where the turn
  // does not come that is the answer, 503.
  Result<void> take(const std::function<Result<void>(store::StoreReader&)>& walk);
  Result<void> add(std::string_view octets);
  // All that was added is the answer.
  Result<void> send(std::string_view content_type = kJsonType);

 private:
  [[nodiscard]] std::uint64_t spooled_bytes() const { return spool_ ? spool_->in_file_bytes() : 0; }
  Result<void> put_by();

  ListTurns& turns_;
  instance::Instance& instance_;
  Exchange& exchange_;
  std::optional<spool::Spool> spool_;
  std::string added_;  // after what is in the spool
};

}  // namespace spl::api
