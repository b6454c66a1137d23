#include "bundle/tree_check.h"

#include <string>

#include "bundle/layout.h"

namespace spl::bundle {
namespace {

constexpr std::string_view kMtree = "tree.mtree";
constexpr std::string_view kAttributes = "tree.attrs.ndjson";
constexpr std::string_view kTree = "tree/";
// Of tree.attrs.ndjson: what an entry can have, in base64 and with its names.
constexpr std::size_t kAttributesLineBytesMax = 8u << 20;

// Two headers are the same where these texts are; the size is left out, for tree.mtree does not say it.
std::string text_of(const codec::TarEntry& entry) {
  std::string text = entry.path;
  text.push_back('\0');
  text.append(entry.link).push_back('\0');
  text.push_back(static_cast<char>(entry.type));
  for (const std::uint64_t number :
       {std::uint64_t{entry.mode}, entry.uid, entry.gid, static_cast<std::uint64_t>(entry.mtime_s)})
    text.append(std::to_string(number)).push_back(' ');
  text.push_back('\n');
  return text;
}

}  // namespace

std::unexpected<Error> TreeCheck::wrong(std::string_view path, std::string_view rule) const {
  return malformed(std::string(prefix_).append(path), rule);
}

Result<void> TreeCheck::enter(const codec::TarEntry& entry) {
  path_ = entry.path;
  line_.clear();
  const std::string_view path = std::string_view(entry.path).substr(prefix_.size());
  if (path == kAttributes) {
    in_ = In::kAttributes;
    return {};
  }
  if (path == kMtree) {
    in_ = In::kMtree;
    has_mtree_ = true;
    return {};
  }
  in_ = In::kTree;
  if (!has_mtree_) return wrong(kMtree, "missing");
  codec::TarEntry here = entry;
  here.path.erase(0, prefix_.size());
  found_.update(text_of(here));
  ++found_entries_;
  if (found_entries_ > listed_entries_) return malformed(entry.path, "tree.mtree has no line for it");
  return {};
}

Result<void> TreeCheck::take(std::string_view octets) {
  if (in_ != In::kAttributes && in_ != In::kMtree) return {};
  const std::size_t line_bytes_max = in_ == In::kMtree ? codec::kMtreeLineBytesMax : kAttributesLineBytesMax;
  while (!octets.empty()) {
    const std::size_t newline = octets.find('\n');
    line_ += octets.substr(0, newline);
    if (line_.size() > line_bytes_max) return malformed(path_, "a line is longer than one can be");
    if (newline == std::string_view::npos) break;
    octets.remove_prefix(newline + 1);
    TRY(take_line(line_));
    line_.clear();
  }
  return {};
}

Result<void> TreeCheck::take_line(std::string_view line) {
  return in_ == In::kMtree ? take_mtree(line) : take_attributes(line);
}

Result<void> TreeCheck::take_attributes(std::string_view line) {
  ++attributes_line_;
  const auto attributes = codec::parse_attributes_line(line);
  if (!attributes)
    return malformed(path_, "line " + std::to_string(attributes_line_) + ": " + attributes.error().message);
  if (has_attributes_before_ && attributes->path <= attributes_before_)
    return malformed(path_, "line " + std::to_string(attributes_line_) + ": not in ascending order");
  attributed_.push_back(crypto::sha256(attributes->path));
  attributes_before_ = attributes->path;
  has_attributes_before_ = true;
  return {};
}

Result<void> TreeCheck::take_mtree(std::string_view line) {
  const auto taken = lines_.take(line);
  if (!taken) return malformed(path_, taken.error().message);
  if (!*taken) return {};
  const codec::MtreeEntry& entry = **taken;
  if (!attributed_.empty() && attributed_.front() == crypto::sha256(entry.path)) attributed_.pop_front();
  if (entry.path.empty()) return {};  // the root has no entry in the tar
  listed_.update(text_of(codec::tar_entry_of(entry, kTree, 0)));
  ++listed_entries_;
  if (entry.inode != 0) shared_.push_back({listed_entries_, entry.inode});
  return {};
}

Result<void> TreeCheck::leave(const Digest& sha256) {
  switch (in_) {
    case In::kMtree:
      if (const auto ended = lines_.end(line_); !ended) return malformed(path_, ended.error().message);
      if (!attributed_.empty()) return wrong(kAttributes, "has attributes of an entry that tree.mtree does not have");
      break;
    case In::kAttributes:
      if (!line_.empty()) return malformed(path_, "no newline ends it");
      if (attributes_line_ == 0) return malformed(path_, "is empty");
      break;
    case In::kTree:
      if (!shared_.empty() && shared_.front().entry == found_entries_) {
        const auto [same, is_first] = contents_.emplace(shared_.front().inode, sha256);
        if (!is_first && same->second != sha256)
          return malformed(path_, "has another content than the other names of its inode");
        shared_.pop_front();
      }
      break;
    case In::kNothing:
      break;
  }
  in_ = In::kNothing;
  return {};
}

Result<void> TreeCheck::end() {
  if (!has_mtree_) return wrong(kMtree, "missing");
  if (found_entries_ != listed_entries_)
    return wrong(kMtree, "has " + std::to_string(listed_entries_) + " entries, below tree/ there are " +
                             std::to_string(found_entries_));
  if (listed_.finish() != found_.finish()) return wrong(kMtree, "does not say what the entries below tree/ say");
  return {};
}

}  // namespace spl::bundle
