// One of two bundles that are compared: its files one after another, each with the kind of the surface that it is a
// part of. Internal to bundle diff. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/stream.h"
#include "bundle/reader.h"

namespace spl::operation {

class BundleSide {
 public:
  // `reader` outlives it; `name` is what its errors call it.
  BundleSide(bundle::BundleReader& reader, std::string name);

  Result<void> next();
  [[nodiscard]] bool there() const { return entry_.has_value(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Of a service's file; null of any other.
  [[nodiscard]] const codec::TarEntry* header() const { return entry_->header; }
  [[nodiscard]] std::optional<bundle::SurfaceKind> kind() const { return kinds_[section_]; }
  [[nodiscard]] const std::string& prefix() const { return reader_.manifest().sections[section_].prefix; }
  // Bundle and path, for messages.
  [[nodiscard]] std::string shown() const;
  // The path within the section.
  [[nodiscard]] std::string_view rest() const { return std::string_view(path_).substr(prefix().size()); }

  // Of type, mode, link and content. Once a file, and not after content().
  Result<Digest> digest();
  // Of a service's file. Once a file.
  base::Source& content() { return content_; }
  // An error that names this bundle and the file.
  [[nodiscard]] std::unexpected<Error> malformed(std::string_view rule) const;

 private:
  class Content final : public base::Source {
   public:
    explicit Content(BundleSide& side) : side_(side) {}
    Result<std::size_t> read(std::span<char> out) override;

   private:
    BundleSide& side_;
  };

  bundle::BundleReader& reader_;
  const std::string name_;
  const std::vector<std::optional<bundle::SurfaceKind>> kinds_;  // of each section
  std::optional<bundle::BundleEntry> entry_ = {};
  std::string path_;
  std::size_t section_ = 0;
  std::string buffer_;
  Content content_{*this};
};

}  // namespace spl::operation
