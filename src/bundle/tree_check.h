// A part of the kind `files`, checked as it is read (docs/formats/tree.md): tree.mtree and tree.attrs.ndjson are as
// their format says, each line of tree.mtree has its entry below tree/ and each entry its line, in the same order and
// the same in all that a tar header says, attributes are of entries that there are, and names that share an inode share
// their content. Both lists are held as digests: memory grows only with the number of entries that have attributes, and
// of names that share a file. Internal to the reader. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/mtree.h"
#include "codec/tar.h"
#include "crypto/sha256.h"

namespace spl::bundle {

class TreeCheck {
 public:
  // A part begins; `prefix` is its section's and outlives it.
  explicit TreeCheck(std::string_view prefix) : prefix_(prefix) {}

  // The next entry of the part, with its whole path. Errors name the entry; code kVerification.
  Result<void> enter(const codec::TarEntry& entry);
  // Some of its content, then the digest of all of it.
  Result<void> take(std::string_view octets);
  Result<void> leave(const Digest& sha256);
  // Nothing more comes of this part.
  Result<void> end();

 private:
  enum class In : std::uint8_t { kNothing, kAttributes, kMtree, kTree };
  [[nodiscard]] std::unexpected<Error> wrong(std::string_view path, std::string_view rule) const;
  Result<void> take_line(std::string_view line);
  Result<void> take_attributes(std::string_view line);
  Result<void> take_mtree(std::string_view line);

  std::string_view prefix_;
  In in_ = In::kNothing;
  std::string path_;  // of the current entry, whole
  std::string line_;  // the beginning of one, of the current list
  bool has_mtree_ = false;

  // Of tree.attrs.ndjson.
  std::string attributes_before_;
  bool has_attributes_before_ = false;
  std::uint64_t attributes_line_ = 0;
  std::deque<Digest> attributed_;  // of the paths that have attributes, and were not met in tree.mtree yet

  // Of tree.mtree, and of the entries below tree/.
  codec::MtreeLines lines_;
  crypto::Sha256 listed_;
  crypto::Sha256 found_;
  std::uint64_t listed_entries_ = 0;
  std::uint64_t found_entries_ = 0;
  struct Shared {
    std::uint64_t entry;  // the how manieth
    std::uint64_t inode;
  };
  std::deque<Shared> shared_;                 // of files whose names share an inode; those that were not found yet
  std::map<std::uint64_t, Digest> contents_;  // of the inodes that were found
};

}  // namespace spl::bundle
