// The sections of a bundle as drivers take them, one after the other. One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/progress.h"
#include "base/result.h"
#include "bundle/reader.h"
#include "surface/part_stream.h"

namespace spl::operation {

// Whoever asks sees of which section the next file is before it is taken.
class SectionFiles final : public surface::PartSource {
 public:
  SectionFiles(bundle::BundleReader& bundle, base::Progress& progress) : bundle_(bundle), progress_(progress) {}

  // Of the bundle's next entry; nothing at its end.
  Result<std::optional<std::string_view>> path_ahead() {
    if (progress_.cancelled()) return base::fail_cancelled("nothing was restored");
    if (!ahead_) ahead_ = TRY(bundle_.next());
    return ahead_ ? std::optional(ahead_->path) : std::nullopt;
  }
  Result<void> pass_over() {
    TRY(path_ahead());
    ahead_.reset();
    return {};
  }
  // What next() gives is of this section from now on.
  void enter(std::string_view section) { section_ = section; }

  Result<std::optional<codec::TarEntry>> next() override {
    const auto path = TRY(path_ahead());
    if (!path || !path->starts_with(section_)) return std::optional<codec::TarEntry>();
    codec::TarEntry placed = *ahead_->header;
    placed.path.erase(0, section_.size());
    ahead_.reset();
    return placed;
  }
  Result<std::size_t> read(std::span<char> out) override { return bundle_.read_content(out); }

 private:
  bundle::BundleReader& bundle_;
  base::Progress& progress_;
  std::string_view section_;
  std::optional<bundle::BundleEntry> ahead_;
};

}  // namespace spl::operation
