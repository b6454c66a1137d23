#include "base/ordered_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <new>
#include <thread>

namespace spl::base {
namespace {

TEST(OrderedPool, GivesResultsInTheOrderOfTheJobs) {
  for (const std::size_t workers : {1u, 2u, 7u}) {
    for (const std::size_t in_flight : {1u, 2u, 16u}) {
      OrderedPool<int, int> pool(workers, in_flight, [](int&& job) {
        // Work of unequal length, so that later jobs end before earlier ones.
        for (int i = 0; i < job % 13; ++i) std::this_thread::yield();
        return job * 2;
      });
      int next_out = 0;
      for (int i = 0; i < 500; ++i) {
        while (pool.full()) EXPECT_EQ(pool.pop(), 2 * next_out++);
        pool.push(i);
      }
      while (!pool.empty()) EXPECT_EQ(pool.pop(), 2 * next_out++);
      EXPECT_EQ(next_out, 500);
    }
  }
}

TEST(OrderedPool, WhatAJobThrowsIsThrownWhereItsResultIsWanted) {
  OrderedPool<int, int> pool(2, 3, [](int&& job) {
    if (job == 1) throw std::bad_alloc();
    return job;
  });
  for (int i = 0; i < 3; ++i) pool.push(i);
  EXPECT_EQ(pool.pop(), 0);
  EXPECT_THROW(pool.pop(), std::bad_alloc);
  EXPECT_EQ(pool.pop(), 2);
}

TEST(OrderedPool, HoldsNoMoreThanItsLimit) {
  std::atomic<int> held = 0;
  std::atomic<int> held_max = 0;
  OrderedPool<int, int> pool(4, 3, [&](int&& job) {
    const int now = ++held;
    for (int seen = held_max; now > seen && !held_max.compare_exchange_weak(seen, now);) {
    }
    --held;
    return job;
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(pool.full(), i >= 3);
    if (pool.full()) {
      EXPECT_EQ(pool.pop(), i - 3);
    }
    pool.push(i);
  }
  EXPECT_LE(held_max, 3);
}

TEST(OrderedPool, WorksAtTheSameTime) {
  // Each job waits for the other: it ends only where two run at once.
  std::latch both(2);
  OrderedPool<int, int> pool(2, 2, [&](int&& job) {
    both.arrive_and_wait();
    return job;
  });
  pool.push(1);
  pool.push(2);
  EXPECT_EQ(pool.pop(), 1);
  EXPECT_EQ(pool.pop(), 2);
}

TEST(OrderedPool, IsReadyOnlyForTheOldest) {
  std::latch first(1);
  std::latch second_done(1);
  OrderedPool<int, int> pool(2, 2, [&](int&& job) {
    if (job == 1) first.wait();
    if (job == 2) second_done.count_down();
    return job;
  });
  EXPECT_FALSE(pool.ready());
  pool.push(1);
  pool.push(2);
  second_done.wait();
  EXPECT_FALSE(pool.ready()) << "the second is done, the first is not";
  first.count_down();
  EXPECT_EQ(pool.pop(), 1);
  EXPECT_EQ(pool.pop(), 2);
  EXPECT_FALSE(pool.ready());
}

TEST(OrderedPool, TakesAndGivesWhatCanOnlyBeMoved) {
  using Box = std::unique_ptr<int>;
  OrderedPool<Box, Box> pool(2, 4, [](Box&& job) { return std::make_unique<int>(*job + 1); });
  for (int i = 0; i < 4; ++i) pool.push(std::make_unique<int>(i));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(*pool.pop(), i + 1);
}

TEST(OrderedPool, DropsWhatHasNotBegunWhenItGoes) {
  std::atomic<int> begun = 0;
  std::latch running(1);
  {
    std::latch release(1);
    OrderedPool<int, int> pool(1, 100, [&](int&& job) {
      if (begun++ == 0) {
        running.count_down();
        release.wait();
      }
      return job;
    });
    for (int i = 0; i < 100; ++i) pool.push(i);
    running.wait();
    release.count_down();
  }
  EXPECT_GE(begun, 1);
}

TEST(OrderedPool, CanBeLeftAtOnce) {
  for (int i = 0; i < 200; ++i) {
    OrderedPool<int, int> pool(3, 3, [](int&& job) { return job; });
    pool.push(i);
  }
}

}  // namespace
}  // namespace spl::base
