#include "operation/signature_check.h"

#include <utility>

namespace spl::operation {
namespace {

constexpr std::size_t kBatchRecords = 256;
constexpr std::size_t kBatchBytesMax = 4u << 20;
constexpr std::size_t kBatchesInFlightPerWorker = 3;
constexpr std::size_t kInFlightBytesMax = 64u << 20;  // of records, however many workers there are

}  // namespace

SignatureCheck::SignatureCheck(std::size_t workers)
    : pool_(workers, kBatchesInFlightPerWorker * workers, check, kInFlightBytesMax) {}

SignatureCheck::Counts SignatureCheck::check(Batch&& batch) {
  Counts counts;
  for (const Signed& item : batch) {
    if (record::signature_is_valid(item.record)) {
      ++counts.valid;
    } else if (counts.invalid++ == 0) {
      counts.first_invalid = item.path;
    }
  }
  batch.clear();
  return counts;
}

void SignatureCheck::add(std::string_view path, const Record& record) {
  if (!record.sig) {
    ++counts_.absent;
    return;
  }
  batch_.push_back({std::string(path), record});
  batch_bytes_ += record.canonical.size();
  if (batch_.size() >= kBatchRecords || batch_bytes_ >= kBatchBytesMax) push();
}

void SignatureCheck::push() {
  while (pool_.full()) take();
  pool_.push(std::exchange(batch_, {}), batch_bytes_);
  batch_bytes_ = 0;
}

void SignatureCheck::take() {
  Counts counts = pool_.pop();
  counts_.valid += counts.valid;
  if (counts_.invalid == 0) counts_.first_invalid = std::move(counts.first_invalid);
  counts_.invalid += counts.invalid;
}

SignatureCheck::Counts SignatureCheck::finish() {
  push();
  while (!pool_.empty()) take();
  return counts_;
}

}  // namespace spl::operation
