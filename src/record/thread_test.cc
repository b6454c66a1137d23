#include "record/thread.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "crypto/sha256.h"

namespace spl::record {
namespace {

Record make(std::string_view act, std::uint64_t clock, const std::string& body = "{}",
            std::vector<RecordId> parents = {}, const std::string& actor = "did:x:a") {
  std::sort(parents.begin(), parents.end());
  parents.erase(std::unique(parents.begin(), parents.end()), parents.end());
  std::string list;
  for (const RecordId& id : parents) list += (list.empty() ? "\"" : ",\"") + id.hex() + "\"";
  return parse_record("{\"act\":\"" + std::string(act) + "\",\"actor\":\"" + actor + "\",\"body\":" + body +
                      ",\"clock\":" + std::to_string(clock) + ",\"data_type\":\"VOID\",\"parents\":[" + list +
                      "],\"thread\":\"t\"}")
      .value();
}

std::string naming(const std::string& member, const RecordId& id) {
  return "{\"" + member + "\":\"" + id.hex() + "\"}";
}

Record cancel(const Record& of, std::uint64_t clock) {
  return make("DO", clock, naming("cancels", of.id));
}
Record fulfil(const Record& of, std::uint64_t clock) {
  return make("KNOW", clock, naming("fulfills", of.id));
}
Record reject(std::uint64_t clock) {
  return make("KNOW", clock, "{\"verdict\":\"reject\"}");
}

ThreadFold fold_of(const std::vector<Record>& records) {
  std::vector<const Record*> all;
  for (const Record& record : records) all.push_back(&record);
  return ThreadFold::of(all);
}

std::string state_in_order(const std::vector<Record>& records) {
  return std::string(thread_state_name(fold_of(records).state()));
}

// The state, which must be the same in every order of at most seven records.
std::string state_of(std::vector<Record> records) {
  const std::string state = state_in_order(records);
  std::ranges::sort(records, {}, &Record::id);
  do {
    EXPECT_EQ(state_in_order(records), state);
  } while (std::ranges::next_permutation(records, {}, &Record::id).found);
  return state;
}

std::vector<RecordId> endings_of(const std::vector<Record>& records) {
  return fold_of(records).endings();
}

TEST(ThreadState, OfNoRecordsOrRecordsThatSayNothingIsLoose) {
  EXPECT_EQ(state_of({}), "loose");
  EXPECT_EQ(state_of({make("KNOW", 0), make("LEARN", 1), make("GET", 2), make("PUT", 3), make("MAP", 4)}), "loose");
}

TEST(ThreadState, IsOpenAfterAnIntend) {
  EXPECT_EQ(state_of({make("INTEND", 0)}), "open");
  EXPECT_EQ(state_of({make("INTEND", 0), make("KNOW", 1), make("GET", 2)}), "open");
}

TEST(ThreadState, IsActiveAfterADoOrACall) {
  EXPECT_EQ(state_of({make("DO", 0)}), "active");
  EXPECT_EQ(state_of({make("CALL", 0)}), "active");
  EXPECT_EQ(state_of({make("INTEND", 5), make("DO", 1)}), "active");
  EXPECT_EQ(state_of({make("INTEND", 0), make("CALL", 1), make("KNOW", 2)}), "active");
}

TEST(ThreadState, IsCancelledByADoThatNamesAnIntendOfTheThread) {
  const Record intend = make("INTEND", 3);
  EXPECT_EQ(state_of({intend, cancel(intend, 4)}), "cancelled");
  EXPECT_EQ(state_of({intend, cancel(intend, 0)}), "cancelled");
  EXPECT_EQ(state_of({intend, make("DO", 1), cancel(intend, 4), make("INTEND", 9), make("CALL", 9)}), "cancelled");
}

TEST(ThreadState, IsNotCancelledByAnythingElse) {
  const Record intend = make("INTEND", 0);
  const Record work = make("DO", 1);
  EXPECT_EQ(state_of({cancel(intend, 1)}), "active") << "the INTEND is not of this thread";
  EXPECT_EQ(state_of({intend, work, cancel(work, 2)}), "active") << "no INTEND is named";
  EXPECT_EQ(state_of({intend, make("KNOW", 1, naming("cancels", intend.id))}), "open");
  EXPECT_EQ(state_of({intend, make("CALL", 1, naming("cancels", intend.id))}), "active");
  EXPECT_EQ(state_of({intend, make("DO", 1, "{\"a\":" + naming("cancels", intend.id) + "}")}), "active");
  EXPECT_EQ(state_of({intend, make("DO", 1, "{\"cancels\":true}")}), "active");
  EXPECT_EQ(state_of({intend, make("DO", 1, "{\"cancels\":\"" + intend.id.hex() + " \"}")}), "active");
  EXPECT_EQ(state_of({intend, make("DO", 1, "{\"a\":\"cancels\",\"b\":\"" + intend.id.hex() + "\"}")}), "active");
}

TEST(ThreadState, IsRejectedByAVerdict) {
  EXPECT_EQ(state_of({reject(0)}), "rejected");
  EXPECT_EQ(state_of({make("INTEND", 0), make("DO", 1), reject(2)}), "rejected");
  EXPECT_EQ(state_of({make("INTEND", 0), make("KNOW", 1, R"({"verdict":"approve"})")}), "open");
  EXPECT_EQ(state_of({make("INTEND", 0), make("KNOW", 1, R"({"verdict":"Reject"})")}), "open");
  EXPECT_EQ(state_of({make("INTEND", 0), make("KNOW", 1, R"({"verdict":["reject"]})")}), "open");
  EXPECT_EQ(state_of({make("INTEND", 0), make("KNOW", 1, R"({"a":{"verdict":"reject"}})")}), "open");
  EXPECT_EQ(state_of({make("INTEND", 0), make("LEARN", 1, R"({"verdict":"reject"})")}), "open");
  EXPECT_EQ(state_of({make("INTEND", 0), make("KNOW", 1, R"({"\u0076erdict":"r\u0065ject"})")}), "rejected");
}

TEST(ThreadState, IsClosedByAKnowThatFulfillsOneOrSeveral) {
  const Record first = make("INTEND", 0);
  const Record second = make("INTEND", 1);
  const std::string unknown(64, '0');
  EXPECT_EQ(state_of({first, fulfil(first, 1)}), "closed");
  EXPECT_EQ(state_of({first, second, make("DO", 5), fulfil(second, 2)}), "closed");
  EXPECT_EQ(state_of({first, make("KNOW", 2, "{\"fulfills\":[\"" + first.id.hex() + "\"]}")}), "closed");
  EXPECT_EQ(state_of({first,
                      make("KNOW", 2,
                           "{\"fulfills\":[\"" + unknown + "\",1,{\"a\":[]},null,\"x\",\"" + first.id.hex() + "\"]}")}),
            "closed");
  EXPECT_EQ(state_of({first, make("KNOW", 2, "{\"fulfills\":[\"" + unknown + "\"]}")}), "open");
  EXPECT_EQ(state_of({first, make("KNOW", 2, "{\"fulfills\":[]}")}), "open");
  EXPECT_EQ(state_of({first, make("KNOW", 2, "{\"fulfills\":[[\"" + first.id.hex() + "\"]]}")}), "open");
  EXPECT_EQ(state_of({first, make("KNOW", 2, "{\"fulfills\":{\"id\":\"" + first.id.hex() + "\"}}")}), "open");
  EXPECT_EQ(state_of({first, make("DO", 2, naming("fulfills", first.id))}), "active");
}

TEST(ThreadState, CancelledComesBeforeRejectedBeforeClosed) {
  const Record intend = make("INTEND", 0);
  EXPECT_EQ(state_of({intend, fulfil(intend, 1), reject(2)}), "rejected");
  EXPECT_EQ(state_of({intend, fulfil(intend, 3), reject(2)}), "rejected");
  EXPECT_EQ(state_of({intend, fulfil(intend, 9), reject(9), cancel(intend, 1)}), "cancelled");
  EXPECT_EQ(state_of({intend, fulfil(intend, 9), cancel(intend, 1)}), "cancelled");
  const Record both = make("KNOW", 1, "{\"fulfills\":\"" + intend.id.hex() + "\",\"verdict\":\"reject\"}");
  EXPECT_EQ(state_of({intend, both}), "rejected");
}

TEST(ThreadState, ALaterIntendAloneDoesNotReopen) {
  const Record intend = make("INTEND", 0);
  const Record end = fulfil(intend, 1);
  EXPECT_EQ(state_of({intend, end, make("INTEND", 50)}), "closed");
  EXPECT_EQ(state_of({intend, end, make("INTEND", 50, "{}", {intend.id})}), "closed");
  EXPECT_EQ(state_of({intend, end, make("DO", 50, "{}", {end.id})}), "closed") << "only an INTEND opens anew";
}

TEST(ThreadState, AnIntendThatAnswersTheEndingReopens) {
  const Record intend = make("INTEND", 0);
  for (const Record& end : {fulfil(intend, 5), reject(5), cancel(intend, 5)}) {
    EXPECT_EQ(state_of({intend, end, make("INTEND", 6, "{}", {end.id})}), "open");
    EXPECT_EQ(state_of({intend, end, make("INTEND", 0, "{}", {end.id}, "did:x:b")}), "open")
        << "clocks of other actors mean little";
    EXPECT_EQ(state_of({intend, make("DO", 1), end, make("INTEND", 6, "{}", {end.id})}), "open") << "work of before";
    EXPECT_EQ(state_of({intend, make("DO", 1), end, make("INTEND", 6, "{}", {end.id}), make("CALL", 7)}), "active");
    EXPECT_EQ(state_of({intend, end, make("INTEND", 0, "{}", {end.id}, "did:x:b"), make("DO", 3)}), "open")
        << "work of before the ending, which the INTEND answers";
  }
}

TEST(ThreadState, WorkThatNamesTheReopeningIntendCountsWhateverItsActorsClock) {
  const Record intend = make("INTEND", 0);
  for (const Record& end : {fulfil(intend, 5), reject(5), cancel(intend, 5)}) {
    const Record again = make("INTEND", 6, "{}", {end.id});
    const Record by_other = make("DO", 0, "{}", {again.id}, "did:x:b");
    EXPECT_EQ(state_of({intend, end, again, by_other}), "active");
    EXPECT_EQ(state_of({intend, end, again, make("DO", 0, "{}", {intend.id}, "did:x:b")}), "open");
    for (const Record& second : {fulfil(again, 8), reject(8), cancel(again, 8)})
      EXPECT_EQ(state_of({intend, end, again, by_other, second, make("INTEND", 9, "{}", {second.id})}), "open")
          << "that INTEND is over";
  }
}

TEST(ThreadState, EveryEndingMustBeAnswered) {
  const Record intend = make("INTEND", 0);
  const Record closed = fulfil(intend, 1);
  const Record rejected = reject(2);
  EXPECT_EQ(state_of({intend, closed, rejected, make("INTEND", 3, "{}", {rejected.id})}), "closed");
  EXPECT_EQ(state_of({intend, closed, rejected, make("INTEND", 3, "{}", {closed.id})}), "rejected");
  EXPECT_EQ(state_of({intend, closed, rejected, make("INTEND", 3, "{}", {closed.id, rejected.id})}), "open");
  EXPECT_EQ(state_of({intend, closed, rejected, make("INTEND", 3, "{}", {closed.id}),
                      make("INTEND", 4, "{}", {rejected.id})}),
            "open");
}

TEST(ThreadState, MayEndAndOpenAgainManyTimes) {
  std::vector<Record> records = {make("INTEND", 0)};
  for (std::uint64_t round = 0; round < 3; ++round) {
    const Record end = round == 1 ? cancel(records.back(), 10 * round + 5) : fulfil(records.back(), 10 * round + 5);
    records.push_back(end);
    EXPECT_EQ(state_of(records), round == 1 ? "cancelled" : "closed");
    records.push_back(make("INTEND", 10 * round + 6, "{}", {end.id}));
    EXPECT_EQ(state_of(records), "open");
  }
}

TEST(ThreadState, EndingsAreWhatAnIntendMustName) {
  const Record intend = make("INTEND", 0);
  const Record closed = fulfil(intend, 1);
  const Record both = make("KNOW", 2, "{\"fulfills\":\"" + intend.id.hex() + "\",\"verdict\":\"reject\"}");
  const Record without_effect = fulfil(make("INTEND", 99), 3);
  std::vector<Record> records = {intend, closed, both, without_effect, make("DO", 4)};
  std::vector<RecordId> expected = {closed.id, both.id};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(endings_of(records), expected);
  records.push_back(make("INTEND", 9, "{}", expected));
  EXPECT_EQ(endings_of(records), std::vector<RecordId>());
  EXPECT_EQ(state_of(records), "open");
}

TEST(ThreadState, AnIntendMayAnswerTheEarlierEndingsOfAnActorByTheLast) {
  const Record intend = make("INTEND", 0);
  const Record first = fulfil(intend, 1);
  const Record middle = reject(2);
  const Record last = fulfil(intend, 3);
  const Record others = make("KNOW", 1, naming("fulfills", intend.id), {}, "did:x:b");
  const auto answer = [](std::vector<RecordId> parents, const char* body = R"({"answers":"earlier"})") {
    return make("INTEND", 9, body, std::move(parents));
  };
  const std::vector<Record> ended = {intend, first, middle, last, others};
  EXPECT_EQ(fold_of(ended).last_endings(), endings_of({intend, last, others}));
  const auto after = [&ended](const Record& again, std::vector<Record> more = {}) {
    more.insert(more.end(), ended.begin(), ended.end());
    more.push_back(again);
    return state_in_order(more);
  };
  EXPECT_EQ(after(answer({last.id, others.id})), "open");
  EXPECT_EQ(state_of({intend, first, middle, last, others, answer({last.id, others.id})}), "open");
  EXPECT_EQ(after(answer({last.id, others.id}, "{}")), "rejected") << "it does not say so";
  EXPECT_EQ(after(answer({last.id})), "closed") << "another actor's is not answered";
  EXPECT_EQ(after(answer({middle.id, others.id})), "closed") << "the last one is not";
  EXPECT_EQ(after(answer({last.id, others.id}), {reject(4)}), "rejected") << "what came after it";
  EXPECT_EQ(after(answer({last.id, others.id}), {make("DO", 10)}), "active");
  const Record claimed = reject(std::uint64_t{1} << 62);
  EXPECT_EQ(state_of({intend, first, claimed, answer({claimed.id})}), "closed") << "that clock may be anybody's";
  const Record idle = fulfil(make("INTEND", 99), 8);
  EXPECT_EQ(state_of({intend, first, idle, answer({idle.id})}), "closed") << "what ends nothing answers nothing";
}

// What it costs is what is counted, not what is named.
TEST(ThreadState, IsTheSameWhereItsRecordsDoNotFitIntoMemoryAtOnce) {
  const Record intend = make("INTEND", 0);
  std::string names;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    RecordId id;
    std::memcpy(id.digest.octets.data(), &i, sizeof i);
    names += "\"" + id.hex() + "\",";
  }
  const Record far = make("KNOW", 1, "{\"fulfills\":[" + names + "\"" + intend.id.hex() + "\"]}");
  const Record again = make("INTEND", 2, "{}", {far.id});
  const Record work = make("DO", 0, "{}", {again.id}, "did:x:b");
  EXPECT_EQ(state_of({intend, far}), "closed");
  EXPECT_EQ(state_of({intend, far, again}), "open");
  EXPECT_EQ(state_of({intend, far, again, work}), "active");
  EXPECT_EQ(state_of({intend, far, again, reject(7), work}), "rejected");
}

// By the words of records.md and of thread.h, without any index.
std::string model(const std::vector<Record>& records) {
  const auto later = [](const Record& a, const Record& b) { return std::tie(a.clock, a.id) > std::tie(b.clock, b.id); };
  const auto names = [](std::string_view text, const RecordId& id) {
    return text.find(id.hex()) != std::string_view::npos;
  };
  const Record* reopened = nullptr;
  std::set<const Record*> reopenings;
  std::vector<const Record*> overruled;
  std::set<std::string> standing;
  for (const Record& end : records) {
    std::set<std::string> kinds;
    for (const Record& intend : records) {
      if (intend.act != Act::kIntend) continue;
      if (end.act == Act::kDo && end.body().find("cancels") != std::string_view::npos && names(end.body(), intend.id))
        kinds.insert("1cancelled");
      if (end.act == Act::kKnow && end.body().find("fulfills") != std::string_view::npos &&
          names(end.body(), intend.id))
        kinds.insert("3closed");
    }
    if (end.act == Act::kKnow && end.body().find("\"reject\"") != std::string_view::npos) kinds.insert("2rejected");
    if (kinds.empty()) continue;
    bool answered = false;
    for (const Record& intend : records) {
      if (intend.act != Act::kIntend || !names(intend.parents(), end.id)) continue;
      answered = true;
      reopenings.insert(&intend);
      for (const Record* moment : {&intend, &end}) {
        if (reopened == nullptr || later(*moment, *reopened)) reopened = moment;
      }
    }
    if (answered) overruled.push_back(&end);
    if (!answered) standing.merge(kinds);
  }
  if (!standing.empty()) return standing.begin()->substr(1);
  // What was ended again does not speak for work that names it.
  std::erase_if(reopenings, [&](const Record* intend) {
    return std::ranges::any_of(overruled, [&](const Record* end) {
      const bool rejects = end->body().find("\"reject\"") != std::string_view::npos;
      return names(end->body(), intend->id) || (rejects && !later(*intend, *end));
    });
  });
  const auto names_reopening = [&](const Record& work) {
    return std::ranges::any_of(reopenings, [&](const Record* r) { return names(work.parents(), r->id); });
  };
  const auto is = [](Act act) { return [act](const Record& r) { return r.act == act; }; };
  for (const Record& work : records) {
    if ((is(Act::kDo)(work) || is(Act::kCall)(work)) &&
        (reopened == nullptr || later(work, *reopened) || names_reopening(work)))
      return "active";
  }
  return std::ranges::any_of(records, is(Act::kIntend)) ? "open" : "loose";
}

TEST(ThreadState, OfRandomThreadsIsThatOfTheModelInAnyOrder) {
  std::mt19937_64 random(11);
  const auto below = [&random](std::size_t n) { return random() % n; };
  std::map<std::string, int> seen;
  for (int round = 0; round < 4000; ++round) {
    std::vector<Record> records;
    for (std::size_t n = below(12); n > 0; --n) {
      std::vector<RecordId> parents;
      for (const Record& record : records) {
        if (below(3) == 0) parents.push_back(record.id);
      }
      const RecordId named = records.empty() || below(5) == 0 ? RecordId() : records[below(records.size())].id;
      const std::uint64_t clock = below(8);
      const std::string actor = below(2) == 0 ? "did:x:a" : "did:x:b";
      switch (below(7)) {
        case 0:
        case 1:
          records.push_back(make("INTEND", clock, "{}", parents, actor));
          break;
        case 2:
          records.push_back(make("DO", clock, naming("cancels", named), parents, actor));
          break;
        case 3:
          records.push_back(make("KNOW", clock,
                                 below(2) == 0 ? naming("fulfills", named)
                                               : "{\"fulfills\":[\"" + named.hex() + "\"],\"verdict\":\"reject\"}",
                                 parents, actor));
          break;
        case 4:
          records.push_back(make("KNOW", clock, naming("fulfills", named), parents, actor));
          break;
        case 5:
          records.push_back(make(below(2) == 0 ? "DO" : "CALL", clock, "{}", parents, actor));
          break;
        default:
          records.push_back(make("PUT", clock, naming("cancels", named), parents, actor));
      }
    }
    std::ranges::sort(records, {}, &Record::id);
    const auto repeats = std::ranges::unique(records, {}, &Record::id);
    records.erase(repeats.begin(), repeats.end());
    const std::string expected = model(records);
    ++seen[expected];
    for (int k = 0; k < 4; ++k) {
      std::shuffle(records.begin(), records.end(), random);
      ASSERT_EQ(state_in_order(records), expected);
    }
  }
  EXPECT_EQ(seen.size(), 6u) << "every state has been met";
}

TEST(ThreadState, OfAThreadOfManyEndingsAndReopeningsIsFoundQuickly) {
  const Record first = make("INTEND", 0);
  std::vector<Record> records = {first};
  for (std::uint64_t i = 1; i < 20'000; i += 2) {
    const Record end = fulfil(first, i);
    records.push_back(end);
    records.push_back(make("INTEND", i + 1, "{}", {end.id}));
  }
  EXPECT_EQ(fold_of(records).state(), ThreadState::kOpen);
}

TEST(FoldFlags, SayWhatARecordCanMean) {
  const RecordId id = make("INTEND", 0).id;
  EXPECT_EQ(fold_flags(make("INTEND", 0)), kOpens);
  EXPECT_EQ(fold_flags(make("DO", 0)), kWorks);
  EXPECT_EQ(fold_flags(make("CALL", 0, naming("cancels", id))), kWorks);
  EXPECT_EQ(fold_flags(make("DO", 0, naming("cancels", id))), kWorks | kCancels);
  EXPECT_EQ(fold_flags(make("DO", 0, R"({"cancels":"x"})")), kWorks);
  EXPECT_EQ(fold_flags(make("KNOW", 0, R"({"verdict":"reject"})")), kRejects);
  EXPECT_EQ(fold_flags(make("KNOW", 0, naming("fulfills", id))), kFulfills);
  EXPECT_EQ(fold_flags(make("KNOW", 0, "{\"\\u0066ulfills\":[\"" + id.hex() + "\"],\"verdict\":\"reject\"}")),
            kFulfills | kRejects);
  EXPECT_EQ(fold_flags(make("KNOW", 0, naming("cancels", id))), 0);
  EXPECT_EQ(fold_flags(make("KNOW", 0, R"({"a":{"verdict":"reject"},"b":"\"fulfills\":"})")), 0);
  for (const char* act : {"LEARN", "GET", "PUT", "MAP"})
    EXPECT_EQ(fold_flags(make(act, 0, R"({"verdict":"reject"})")), 0);
}

TEST(ThreadDirectory, IsTheIdWithOddOctetsEscaped) {
  EXPECT_EQ(thread_directory(""), "%");
  EXPECT_EQ(thread_directory("%"), "%25");
  EXPECT_EQ(thread_directory("%%"), "%25%25");
  EXPECT_EQ(thread_directory("th_0aZ.-_"), "th_0aZ.-_");
  EXPECT_EQ(thread_directory("."), "%2E");
  EXPECT_EQ(thread_directory(".."), "%2E.");
  EXPECT_EQ(thread_directory(".a.b"), "%2Ea.b");
  EXPECT_EQ(thread_directory("a/b\\c d~"), "a%2Fb%5Cc%20d%7E");
  EXPECT_EQ(thread_directory("é\xF0\x9F\x98\x80"), "%C3%A9%F0%9F%98%80");
  EXPECT_EQ(thread_directory("%2E"), "%252E");
}

TEST(ThreadDirectory, IsTheHashOfTheIdWhereTheEncodingIsOver200Bytes) {
  EXPECT_EQ(thread_directory(std::string(200, 'a')), std::string(200, 'a'));
  // printf 'a%.0s' $(seq 201) | sha256sum
  EXPECT_EQ(thread_directory(std::string(201, 'a')), "%%" + base::to_hex(crypto::sha256(std::string(201, 'a')).view()));
  const std::string odd(66, ' ');
  EXPECT_EQ(thread_directory(odd + "aa").size(), 200u);
  EXPECT_EQ(thread_directory(odd + "aaa"), "%%" + base::to_hex(crypto::sha256(odd + "aaa").view()));
  EXPECT_EQ(thread_directory("." + std::string(197, 'a')).size(), 200u);
  EXPECT_TRUE(thread_directory("." + std::string(198, 'a')).starts_with("%%"));
}

TEST(ThreadDirectory, IsAnotherForEveryThread) {
  std::set<std::string> directories;
  std::set<std::string> threads;
  const std::string_view alphabet = "%.a2E/";
  std::string thread;
  const auto grow = [&](const auto& self) -> void {
    threads.insert(thread);
    const std::string directory = thread_directory(thread);
    directories.insert(directory);
    EXPECT_EQ(directory.find('/'), std::string::npos);
    EXPECT_NE(directory.front(), '.');
    if (thread.size() == 5) return;
    for (const char c : alphabet) {
      thread.push_back(c);
      self(self);
      thread.pop_back();
    }
  };
  grow(grow);
  EXPECT_EQ(directories.size(), threads.size());
}

TEST(RecordPath, IsTheDirectoryAndTheId) {
  RecordId id;
  id.digest.octets.fill(0xAB);
  std::string hex;
  for (int i = 0; i < 32; ++i) hex += "ab";
  EXPECT_EQ(record_path("%", id), "records/%/" + hex + ".json");
}

TEST(ReservedThreads, AreTheSixOfTheContract) {
  for (const char* thread : {"th_federation_pairs", "th_consent", "th_engine_config", "th_actor_registry",
                             "th_service_accounts", "th_adapters"})
    EXPECT_TRUE(is_reserved(thread)) << thread;
  EXPECT_EQ(reserved_threads().size(), 6u);
  for (const char* thread : {"", "th_", "th_consent ", "TH_CONSENT", "th_consents"})
    EXPECT_FALSE(is_reserved(thread)) << thread;
}

}  // namespace
}  // namespace spl::record
