// The signatures of records, checked on all cores while the records come in. One thread; memory is bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ordered_pool.h"
#include "record/record.h"

namespace spl::operation {

class SignatureCheck {
 public:
  struct Counts {
    std::uint64_t valid = 0;
    std::uint64_t invalid = 0;
    std::uint64_t absent = 0;
    std::string first_invalid;  // its path
  };

  explicit SignatureCheck(std::size_t workers);
  void add(std::string_view path, const Record& record);
  // Of all records. Once.
  Counts finish();

 private:
  struct Signed {
    std::string path;
    Record record;
  };
  using Batch = std::vector<Signed>;
  static Counts check(Batch&& batch);
  void push();
  void take();

  Counts counts_;
  Batch batch_;
  std::size_t batch_bytes_ = 0;  // of records
  base::OrderedPool<Batch, Counts> pool_;
};

}  // namespace spl::operation
