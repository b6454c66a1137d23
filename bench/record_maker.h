// Records for the benchmarks, shaped like the commits of public git repositories: one thread a repository and month,
// opened by an INTEND; a DO for each commit, with its file list, whose parents are the records of its parents. One seed
// gives the same octets everywhere: nothing of <random> is used. The shape was taken from 41,213 real commits: 542
// octets a record on average, 492 in the middle, 193 records a thread, 42 an actor with few actors doing most.
// One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "record/record.h"

namespace spl::bench {

// SplitMix64 (Steele, Lea, Flood; OOPSLA 2014).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  // From 0 to `bound` - 1.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  // From 0 to `bound` - 1, small ones much more often: an even choice's fourth power.
  std::uint64_t skewed(std::uint64_t bound);
  // From 1 on; mean about `mean`.
  std::uint64_t geometric(double mean);
  // An even choice from 0 to 1.
  double fraction() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

class RecordMaker {
 public:
  explicit RecordMaker(std::uint64_t seed);
  // Records without end; parents come before their children. Valid until the next call.
  const Record& next();

 private:
  struct Repository {
    std::string name;
    std::vector<std::string> paths;
    std::vector<std::string> topics;
    std::vector<std::size_t> authors;  // into authors_
    std::vector<RecordId> heads;       // the latest commits
    std::uint64_t time_s = 0;
    int months = 0;
  };
  struct Author {
    std::string did;
    std::uint64_t clock = 0;  // in the current thread
    std::uint64_t thread_no = 0;
  };

  void begin_group();
  void begin_thread();
  void make_opening();
  void make_commit();
  void finish(std::string_view act, std::string_view actor, std::uint64_t clock, const std::vector<RecordId>& parents);
  void append_subject(std::string& out, const Repository& repository);
  void append_files(std::string& out, const Repository& repository);
  void append_hex(std::string& out, std::size_t digits);

  Dice dice_;
  std::uint64_t group_ = 0;  // each has repositories, threads and actors of its own
  std::vector<Repository> repositories_;
  std::vector<Author> authors_;
  std::size_t repository_ = 0;  // the current one
  std::uint64_t thread_no_ = 0;
  std::uint64_t thread_left_ = 0;   // records of the current thread to come
  std::uint64_t threads_left_ = 0;  // of the current repository
  std::string thread_;
  std::string body_;
  std::string text_;
  Record record_;
};

}  // namespace spl::bench
