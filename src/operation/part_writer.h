// A part of a surface on its way into a bundle: the section that it becomes. One thread.
#pragma once

#include <string>
#include <string_view>

#include "bundle/writer.h"
#include "surface/part_stream.h"

namespace spl::operation {

class PartWriter final : public surface::PartSink {
 public:
  // `prefix` is the section's, "services/notes/files/@instance/"; the writer is at its beginning.
  PartWriter(bundle::BundleWriter& writer, std::string prefix) : writer_(writer), prefix_(std::move(prefix)) {}
  Result<void> begin(const codec::TarEntry& entry) override {
    codec::TarEntry placed = entry;
    placed.path.insert(0, prefix_);
    bytes_ += entry.size_bytes;
    return writer_.begin_entry(placed);
  }
  Result<void> write(std::string_view octets) override { return writer_.write(octets); }

  // Of content, that were announced.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  bundle::BundleWriter& writer_;
  const std::string prefix_;
  std::uint64_t bytes_ = 0;
};

}  // namespace spl::operation
