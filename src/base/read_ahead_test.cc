#include "base/read_ahead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>

namespace spl::base {
namespace {

std::string numbers(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += std::to_string(i) + ",";
  return text;
}

// Gives at most `piece` octets a read, then the end or an error; counts what was read.
class CountedSource final : public Source {
 public:
  CountedSource(std::string_view octets, std::size_t piece, bool fails = false)
      : rest_(octets), piece_(piece), fails_(fails) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = rest_.copy(out.data(), std::min(out.size(), piece_));
    rest_.remove_prefix(n);
    bytes += n;
    if (n == 0) ++ends;
    if (n == 0 && fails_) return fail("the disk is gone");
    return n;
  }
  std::atomic<std::size_t> bytes = 0;
  std::atomic<int> ends = 0;

 private:
  std::string_view rest_;
  std::size_t piece_;
  bool fails_;
};

TEST(ReadAhead, GivesTheSameOctetsWhateverThePieces) {
  const std::string text = numbers(500);
  for (const std::size_t piece : {1u, 100u, 1u << 20}) {
    for (const std::size_t block : {1u, 64u, 100'000u}) {
      for (const std::size_t blocks : {1u, 2u, 8u}) {
        CountedSource in(text, piece);
        ReadAhead ahead(in, block, blocks);
        EXPECT_EQ(read_all(ahead, text.size()).value(), text) << piece << " " << block;
        char octet[1];
        EXPECT_EQ(ahead.read(octet).value(), 0u) << "the end stays the answer";
        EXPECT_EQ(in.ends, 1) << "the end is read once";
      }
    }
  }
}

// Gives one octet, then there is no memory.
class ThrowingSource final : public Source {
 public:
  Result<std::size_t> read(std::span<char> out) override {
    if (given_) throw std::bad_alloc();
    given_ = true;
    out[0] = 'x';
    return 1;
  }

 private:
  bool given_ = false;
};

TEST(ReadAhead, WhatTheSourceThrowsIsThrownByTheReader) {
  ThrowingSource in;
  ReadAhead ahead(in, 16, 2);
  char octet[1];
  EXPECT_EQ(ahead.read(octet).value(), 1u);
  EXPECT_THROW((void)ahead.read(octet), std::bad_alloc);
  EXPECT_THROW((void)ahead.read(octet), std::bad_alloc);
}

TEST(ReadAhead, AnEmptySourceIsAtItsEnd) {
  CountedSource in("", 1);
  ReadAhead ahead(in, 16, 2);
  char octet[1];
  EXPECT_EQ(ahead.read(octet).value(), 0u);
}

TEST(ReadAhead, PassesAnErrorOnAfterWhatWasReadBeforeIt) {
  const std::string text = numbers(100);
  CountedSource in(text, 7, true);
  ReadAhead ahead(in, 16, 3);
  std::string got(text.size(), '\0');
  EXPECT_EQ(read_full(ahead, got).value(), text.size());
  EXPECT_EQ(got, text);
  char octet[1];
  for (int i = 0; i < 2; ++i) {
    const auto result = ahead.read(octet);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "the disk is gone");
  }
  EXPECT_EQ(in.ends, 1);
}

// Counts the reads that were begun; the test can wait for a count, and lets the reads go on one by one.
class SteppedSource final : public Source {
 public:
  Result<std::size_t> read(std::span<char> out) override {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return allowed_ > 0; });
    --allowed_;
    out[0] = 'x';
    return 1;
  }
  void wait_for_begun(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_ >= count; });
  }
  void allow(int count) {
    const std::scoped_lock lock(mutex_);
    allowed_ += count;
    changed_.notify_all();
  }
  int begun() {
    const std::scoped_lock lock(mutex_);
    return begun_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  int allowed_ = 0;
};

TEST(ReadAhead, ReadsBeforeItIsAskedAndNoMoreThanItsBlocks) {
  const std::string text = numbers(5000);
  CountedSource in(text, 100);
  ReadAhead ahead(in, 100, 4);
  std::string got(1, '\0');
  ASSERT_EQ(ahead.read(got).value(), 1u);
  // Four blocks are held at most, and the first of them is not taken whole.
  EXPECT_LE(in.bytes, 400u);
  EXPECT_GE(in.bytes, 100u);
}

TEST(ReadAhead, EndsWithTheReadThatIsGoingOn) {
  SteppedSource in;
  auto ahead = std::make_unique<ReadAhead>(in, 16, 4);
  in.wait_for_begun(1);  // nobody has asked: it reads by itself
  std::thread leaver([&] { ahead.reset(); });
  in.allow(4);
  leaver.join();
  EXPECT_LE(in.begun(), 4);
}

TEST(ReadAhead, EndsWhileItWaitsForRoom) {
  SteppedSource in;
  in.allow(1000);
  {
    ReadAhead ahead(in, 16, 2);
    in.wait_for_begun(2);
  }
  EXPECT_EQ(in.begun(), 2) << "the ring was full";
}

TEST(ReadAhead, CanBeLeftAtOnce) {
  const std::string text = numbers(5000);
  for (int i = 0; i < 200; ++i) {
    CountedSource in(text, 64);
    const ReadAhead ahead(in, 64, 3);
  }
}

}  // namespace
}  // namespace spl::base
