// What a failed allocation leaves behind. Each operation is run with its first allocation failing, then with its
// second, and so on until it succeeds: once with that allocation alone, once with all that follow it. After each
// failure the state is sound: nothing half done, nothing done twice, nobody waits for ever, and the next operation is
// right. This program has an operator new of its own; what C libraries allocate does not fail here.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <functional>
#include <new>
#include <thread>

#include "api/record_lines.h"
#include "api/server_test_util.h"
#include "base/encoding.h"
#include "base/ordered_pool.h"
#include "base/read_ahead.h"
#include "instance/committer.h"
#include "instance/ingest.h"
#include "store/memory/memory_store.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl {
namespace {

enum class Lack : std::uint8_t { kNone, kOnce, kFromThenOn };

std::atomic<Lack> lack = Lack::kNone;
std::atomic<std::int64_t> left = 0;  // allocations until one fails
std::atomic<bool> has_failed = false;
thread_local bool is_exempt = false;  // the test's own part

bool fails_now() {
  if (is_exempt) return false;
  const Lack how = lack.load(std::memory_order_relaxed);
  if (how == Lack::kNone) return false;
  const std::int64_t before = left.fetch_sub(1, std::memory_order_relaxed);
  if (before > 0 || (before < 0 && how == Lack::kOnce)) return false;
  has_failed = true;
  return true;
}

// NOLINTBEGIN(cppcoreguidelines-no-malloc)
void* allocate(std::size_t bytes) {
  void* memory = fails_now() ? nullptr : std::malloc(std::max<std::size_t>(bytes, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* allocate(std::size_t bytes, std::align_val_t alignment) {
  const auto size = static_cast<std::size_t>(alignment);
  void* memory = fails_now() ? nullptr : std::aligned_alloc(size, (bytes + size - 1) / size * size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace
}  // namespace spl

void* operator new(std::size_t bytes) {
  return spl::allocate(bytes);
}
void* operator new[](std::size_t bytes) {
  return spl::allocate(bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return spl::allocate(bytes, alignment);
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return spl::allocate(bytes, alignment);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
// NOLINTEND(cppcoreguidelines-no-malloc)

namespace spl {
namespace {

using instance::Instance;
using instance::OpenFor;

constexpr std::int64_t kAllocationsMax = 20'000;  // of one operation: more means that it never succeeds

// Runs `operation` as the head of this file says. It says whether it succeeded; an exception is a failure. `look` is
// told that, and is called after each run.
void with_each_failure(const std::function<bool()>& operation, const std::function<void(bool succeeded)>& look) {
  for (const Lack how : {Lack::kOnce, Lack::kFromThenOn}) {
    for (std::int64_t n = 0;; ++n) {
      ASSERT_LT(n, kAllocationsMax);
      has_failed = false;
      left = n;
      lack = how;
      bool succeeded = false;
      try {
        succeeded = operation();
      } catch (const std::bad_alloc&) {
        succeeded = false;
      }
      lack = Lack::kNone;
      SCOPED_TRACE("allocation " + std::to_string(n) + (how == Lack::kOnce ? "" : " and all after it"));
      look(succeeded);
      if (::testing::Test::HasFailure()) return;
      if (!has_failed) {
        EXPECT_TRUE(succeeded);
        break;
      }
    }
  }
}

std::uint64_t records_in(Instance& instance) {
  return instance.store().reader().value()->counts().value().records;
}

Record record_of(int n, std::string_view thread = "th_test") {
  return record::parse_record(api::record_json(n, thread)).value();
}

TEST(NoMemory, ACommitterGoesOn) {
  const auto store = store::make_memory_store("00");
  instance::Committer committer(*store);
  int wanted = 0;
  with_each_failure(
      [&] {
        const std::string value = std::to_string(wanted);
        return committer
            .run([&](store::StoreWriter& writer) { return writer.set_setting("a name that is not short", value); })
            .has_value();
      },
      [&](bool succeeded) {
        const auto there = store->reader().value()->setting("a name that is not short").value();
        if (succeeded) {
          EXPECT_EQ(there, std::to_string(wanted));
          ++wanted;
        }
        // What failed is not run by the next one.
        EXPECT_TRUE(committer.run([](store::StoreWriter& writer) { return writer.set_setting("b", ""); }));
        EXPECT_EQ(store->reader().value()->setting("a name that is not short").value(), there);
      });
}

TEST(NoMemory, ACommitterThatManyWaitForLeavesNobodyWaiting) {
  const auto store = store::make_memory_store("00");
  instance::Committer committer(*store);
  constexpr int kCallers = 4;
  std::atomic<int> done = 0;
  with_each_failure(
      [&] {
        std::vector<std::thread> callers;
        {
          is_exempt = true;
          callers.reserve(kCallers);
          for (int i = 0; i < kCallers; ++i)
            callers.emplace_back([&] {
              try {
                const auto outcome = committer.run(
                    [](store::StoreWriter& writer) { return writer.set_setting("a name that is not short", "v"); });
                done += outcome ? 1 : 0;
              } catch (const std::bad_alloc&) {
              }
            });
          for (std::thread& caller : callers) caller.join();
          callers.clear();
          is_exempt = false;
        }
        return done.exchange(0) == kCallers;
      },
      [&](bool) { EXPECT_TRUE(committer.run([](store::StoreWriter&) { return Result<void>(); })); });
}

class NoMemoryInstance : public ::testing::Test {
 protected:
  NoMemoryInstance() {
    auto opened = Instance::open(env(), {.home = home_.path() + "/home", .store_url = {}}, OpenFor::kCreating);
    EXPECT_TRUE(opened) << opened.error().message;
    instance_ = std::move(*opened);
    EXPECT_TRUE(instance_->generate_identity());
  }
  env::Env env() { return {fs_, clock_, random_, log_}; }

  testing::TempDirectory home_;
  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  std::unique_ptr<Instance> instance_;
};

TEST_F(NoMemoryInstance, AnEmissionIsOneRecordOrNone) {
  instance::Emission emission;
  emission.act = record::Act::kDo;
  emission.thread = "th_of_a_name_that_is_not_short";
  emission.text = "a text that is not short at all";
  std::uint64_t records = 0;
  RecordId id;
  with_each_failure(
      [&] {
        auto emitted = instance::emit(*instance_, emission);
        if (emitted) id = emitted->id;
        return emitted.has_value();
      },
      [&](bool succeeded) {
        records += succeeded ? 1 : 0;
        ASSERT_EQ(records_in(*instance_), records);
        if (succeeded) {
          const auto found = instance_->store().reader().value()->find(id).value();
          ASSERT_TRUE(found);
          EXPECT_EQ(found->clock + 1, records) << "the next clock";
        }
        // The next one is right, and alone.
        const auto next = instance::emit(*instance_, emission);
        ASSERT_TRUE(next) << next.error().message;
        ++records;
        ASSERT_EQ(records_in(*instance_), records);
        EXPECT_EQ(instance_->store().reader().value()->find(next->id).value()->clock + 1, records);
      });
}

TEST_F(NoMemoryInstance, RecordsArePutAllOrNone) {
  int next = 0;
  std::uint64_t records = 0;
  with_each_failure(
      [&] {
        const std::vector<Record> three = {record_of(next), record_of(next + 1, "th_2"), record_of(next + 2)};
        return instance::put_records(*instance_, three).has_value();
      },
      [&](bool succeeded) {
        if (succeeded) {
          records += 3;
          next += 3;
        }
        ASSERT_EQ(records_in(*instance_), records);
        EXPECT_TRUE(instance_->store().check());
        // Those that are there are known, and no others.
        const auto again = instance::put_records(*instance_, {record_of(0)});
        ASSERT_TRUE(again) << again.error().message;
        if (records == 0) records = 1;
        next = std::max(next, 1);
        ASSERT_EQ(records_in(*instance_), records);
      });
}

TEST_F(NoMemoryInstance, LinesArePutAllOrNone) {
  int next = 0;
  std::uint64_t records = 0;
  base::NoProgress progress;
  with_each_failure(
      [&] {
        is_exempt = true;
        std::string lines;
        for (int n = 0; n < 3; ++n) lines += api::record_json(next + n) + "\n";
        base::StringSource in(lines);
        is_exempt = false;
        return instance::put_ndjson(*instance_, in, progress).has_value();
      },
      [&](bool succeeded) {
        if (succeeded) {
          records += 3;
          next += 3;
        }
        ASSERT_EQ(records_in(*instance_), records);
        EXPECT_TRUE(instance_->store().check());
      });
}

TEST_F(NoMemoryInstance, AReaderThatDoesNotComeLeavesTheStoreOpen) {
  ASSERT_TRUE(instance::put_records(*instance_, {record_of(1)}));
  with_each_failure(
      [&] {
        const auto reader = instance_->store().reader();
        return reader && (*reader)->find(record_of(1).id).has_value();
      },
      [&](bool) { ASSERT_EQ(records_in(*instance_), 1u); });
}

TEST(NoMemory, AnOrderedPoolGivesBackWhatItTook) {
  with_each_failure(
      [] {
        base::OrderedPool<std::string, std::string> pool(3, 4,
                                                         [](std::string&& job) { return job + " and its result"; });
        bool all = true;
        std::deque<int> pushed;
        const auto take = [&] {
          std::string result;
          bool came = true;
          try {
            result = pool.pop();
          } catch (const std::bad_alloc&) {
            came = false;
          }
          is_exempt = true;
          EXPECT_FALSE(pushed.empty());
          if (came) {
            EXPECT_EQ(result, std::to_string(pushed.front()) + " is a job and its result");
          }
          pushed.pop_front();
          is_exempt = false;
          return came;
        };
        for (int i = 0; i < 8; ++i) {
          if (pool.full()) all = take() && all;
          try {
            pool.push(std::to_string(i) + " is a job");
            is_exempt = true;
            pushed.push_back(i);
            is_exempt = false;
          } catch (const std::bad_alloc&) {
            all = false;
          }
        }
        while (!pool.empty()) all = take() && all;
        is_exempt = true;
        EXPECT_TRUE(pushed.empty());
        is_exempt = false;
        return all;
      },
      [](bool) {});
}

TEST(NoMemory, ReadAheadAndLineParserGiveAllOrFail) {
  const std::string text(5000, 'x');
  with_each_failure(
      [&text] {
        base::StringSource in(text);
        ReadAhead ahead(in, 1000, 3);
        std::size_t octets = 0;
        std::array<char, 700> piece{};
        for (std::size_t n = 1; n > 0; octets += n) {
          const auto got = ahead.read(piece);
          if (!got) return false;
          n = *got;
        }
        EXPECT_EQ(octets, text.size());
        return true;
      },
      [](bool) {});
  std::string lines;
  int count = 0;
  for (; lines.size() < 2 * api::kParallelParseBytesMin; ++count) {
    std::string json = api::record_json(count);
    lines += json.replace(json.find("{\"n\":"), 1, "{\"filler\":\"" + std::string(30'000, 'x') + "\",") + "\n";
  }
  with_each_failure(
      [&] {
        api::LineParser parser(2);
        const auto records = parser.parse(lines);
        EXPECT_TRUE(!records || records->size() == static_cast<std::size_t>(count));
        return records.has_value();
      },
      [](bool) {});
}

// A daemon, and one request at a time from a client that is never short of memory.
class NoMemoryServer : public ::testing::Test {
 protected:
  NoMemoryServer() { is_exempt = true; }
  ~NoMemoryServer() override {
    daemon_.stop();
    is_exempt = false;
  }
  // The status; 0 where the connection was closed without an answer. Never waits for ever.
  int ask(std::string_view method, std::string_view target, std::string_view body = {}, std::string_view fields = {}) {
    const auto begun = std::chrono::steady_clock::now();
    auto client = daemon_.local();
    const auto answer = client.ask(method, target, body, fields);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5)) << "a client was left to wait";
    return answer && answer->whole ? answer->status : 0;
  }

  testing::TempDirectory home_;
  testing::MemoryLog log_;
  api::TestDaemon daemon_{home_.path() + "/home", log_};
};

TEST_F(NoMemoryServer, ARequestFailsAloneAndIsAnsweredOrCut) {
  std::string lines;
  for (int n = 0; n < 20; ++n) lines += api::record_json(n, "th_lines") + "\n";
  ASSERT_EQ(ask("POST", "/v1/records", lines, api::kNdjsonField), 200);
  struct Request {
    const char* method;
    const char* target;
    std::string_view body;
    std::string_view fields;
  };
  for (const Request& request : std::initializer_list<Request>{{"GET", "/v1/records/nonsense", {}, {}},
                                                               {"GET", "/v1/threads/th_lines/records", {}, {}},
                                                               {"POST", "/v1/records", lines, api::kNdjsonField}}) {
    SCOPED_TRACE(request.target);
    const int expected = request.target == std::string_view("/v1/records/nonsense") ? 400 : 200;
    with_each_failure([&] { return ask(request.method, request.target, request.body, request.fields) == expected; },
                      [&](bool) {
                        EXPECT_EQ(ask("GET", "/health"), 200);
                        ASSERT_EQ(daemon_.records(), 20u);
                      });
  }
}

TEST_F(NoMemoryServer, ARecordThatIsAcknowledgedIsThereOnce) {
  std::uint64_t records = 0;
  int next = 0;
  with_each_failure(
      [&] { return ask("POST", "/v1/records", api::record_json(next, "th_a_thread_that_is_not_short")) == 201; },
      [&](bool succeeded) {
        const std::uint64_t there = daemon_.records();
        // A commit whose answer did not come is a commit.
        ASSERT_GE(there, records + (succeeded ? 1 : 0));
        ASSERT_LE(there, records + 1);
        next += there > records ? 1 : 0;
        records = there;
        EXPECT_EQ(ask("GET", "/health"), 200);
      });
}

}  // namespace
}  // namespace spl
