// tree.mtree and tree.attrs.ndjson: what there is in a tree of files (docs/formats/tree.md). Writers append canonical
// lines; readers take lines one at a time, check each by itself and against the one before it, and hold one line in
// memory. Pure; any thread, a reader one thread. Sources: mtree(5); docs/formats/tree.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/stream.h"
#include "codec/tar.h"

namespace spl::codec {

// One line. `path` is without "./"; the root's is empty.
struct MtreeEntry {
  std::string path;
  TarType type = TarType::kFile;
  std::uint32_t mode = 0;  // at most 07777
  std::uint64_t uid = 0;   // at most 2^32-2
  std::uint64_t gid = 0;
  std::int64_t modified_s = 0;
  std::uint32_t modified_ns = 0;  // below 10^9, forward from the seconds
  std::string link;               // of a symbolic link
  std::uint64_t inode = 0;        // of a file that shares it with other names: from 1; else 0
  bool operator==(const MtreeEntry&) const = default;
};

inline constexpr std::string_view kMtreeFirstLine = "#mtree\n";
inline constexpr std::size_t kMtreeLineBytesMax = 64u << 10;

// Appends the line with its newline. The entry keeps to the limits of the format.
void append_mtree_line(std::string& out, const MtreeEntry& entry);
// What the header of its tar entry says; `tree_prefix` ("tree/") stands before its path. Not of the root.
TarEntry tar_entry_of(const MtreeEntry& entry, std::string_view tree_prefix, std::uint64_t size_bytes);
// The rule by which a tar header (its path with `tree_prefix`) and a line do not match; empty where they do.
std::string_view mtree_mismatch(const MtreeEntry& entry, const TarEntry& header, std::string_view tree_prefix);

// The lines of a tree.mtree, one after the other. Errors have the code kVerification; the message is the rule, with the
// line's number. After an error it is of no more use.
class MtreeLines {
 public:
  // A line without its newline; nothing is given of the first one. Paths ascend; each parent came before as a directory
  // (the root may be missing).
  Result<std::optional<MtreeEntry>> take(std::string_view line);
  // The last line was taken; what followed it without a newline is `rest`.
  [[nodiscard]] Result<void> end(std::string_view rest) const;

 private:
  std::uint64_t line_number_ = 0;
  std::string path_before_;
  bool has_before_ = false;
  std::vector<std::string> open_directories_;  // those that the next path may be in: each a beginning of the next
};

// Reads a tree.mtree from its first byte to its last; errors are those of MtreeLines.
class MtreeReader {
 public:
  explicit MtreeReader(Source& in) : in_(in) {}
  // The next line; nothing at the end.
  Result<std::optional<MtreeEntry>> next();

 private:
  Result<std::optional<std::string_view>> next_line();
  Source& in_;
  MtreeLines lines_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

// One line of tree.attrs.ndjson.
struct TreeAttributes {
  std::string path;                                             // without "./"; the root's is empty
  std::vector<std::pair<std::string, std::string>> attributes;  // name and value, ascending by name, at least one
  bool operator==(const TreeAttributes&) const = default;
};
void append_attributes_line(std::string& out, const TreeAttributes& attributes);
// One line without its newline. Code kVerification; the message is the rule.
Result<TreeAttributes> parse_attributes_line(std::string_view line);

}  // namespace spl::codec
