// Trust in an actor's work in a domain (docs/formats/trust.md): the lower bound of Wilson's interval over verdicts that
// lose half of their weight in 90 days. Computed from the records, never stored. Follows a StoreReader's rules for
// threads. Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference".
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "record/record.h"
#include "store/record_store.h"

namespace spl::substrate {

struct Trust {
  std::string actor;
  std::string domain;
  std::uint64_t accepted = 0;  // verdicts
  std::uint64_t rejected = 0;
  double trust = 0;  // 0 to 1

  static constexpr auto shape() {
    return codec::shape(codec::member("actor", &Trust::actor, "whose work"),
                        codec::member("domain", &Trust::domain, "in what; may be empty"),
                        codec::member("accepted", &Trust::accepted, "verdicts that accept"),
                        codec::member("rejected", &Trust::rejected, "verdicts that reject"),
                        codec::member("trust", &Trust::trust, "from 0 to 1"));
  }
};

// Weighted counts to trust: Wilson's lower bound, z = 1.96; 0 where there are none.
double wilson_lower_bound(double accepted, double all);
// What a verdict of this age still weighs: 1 for none, or for one that is to come.
double verdict_weight(std::chrono::seconds age);

// Collects verdicts.
class TrustFold {
 public:
  explicit TrustFold(std::chrono::system_clock::time_point now) : now_(now) {}
  // A KNOW with body.verdict about the work of `worker` (the actor of what it fulfills or reviews).
  struct Verdict {
    std::string_view worker;
    std::string_view domain;
    bool accepts = false;
    std::optional<std::chrono::system_clock::time_point> at;
  };
  void add(const Verdict& verdict);
  // By actor, then domain.
  [[nodiscard]] std::vector<Trust> result() const;

 private:
  struct Sums {
    std::uint64_t accepted = 0;
    std::uint64_t rejected = 0;
    double accepted_weight = 0;
    double weight = 0;
  };
  std::chrono::system_clock::time_point now_;
  std::map<std::pair<std::string, std::string>, Sums> sums_;
};

// Of all records, or of one actor's work. Reads the whole log.
Result<std::vector<Trust>> trust_of_records(store::StoreReader& reader, std::chrono::system_clock::time_point now,
                                            const std::optional<std::string>& actor, base::Progress& progress);

}  // namespace spl::substrate
