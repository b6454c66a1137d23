// Makes a tree of files out of a part of a bundle: nothing is believed, nothing outside the new tree is written,
// whatever the links in it say, for every directory on the way was made here. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "codec/mtree.h"
#include "surface/part.h"

namespace spl::surface {

struct TreeRules {
  Trust signer = Trust::kStranger;
  bool of_context = false;            // a link that leaves the tree ends it
  std::optional<env::UserIds> owner;  // of what a stranger sent; none: as it comes
};

class TreeBuilder {
 public:
  // `root` is an empty directory, the caller's own.
  TreeBuilder(const Surroundings& surroundings, std::string root, TreeRules rules)
      : surroundings_(surroundings), fs_(surroundings.env.fs), root_(std::move(root)), rules_(std::move(rules)) {}

  // All of the part. It is durable when this returns. Code kVerification where the files are not what
  // docs/formats/tree.md says, kStop for what no restore may.
  Result<void> build(PartSource& files, base::Progress& progress);

 private:
  struct Directory {
    std::string path;
    std::uint32_t mode;
    env::FileTime modified;
  };
  Result<void> make(const codec::MtreeEntry& line, PartSource& files);
  Result<void> make_file(const codec::MtreeEntry& line, const std::string& path, PartSource& files);
  Result<void> check_link(const codec::MtreeEntry& line) const;
  Result<void> give(const codec::MtreeEntry& line, const std::string& path);
  Result<void> settle(const codec::MtreeEntry& line, const std::string& path);
  Result<void> set_attributes(const codec::MtreeEntry& line, const std::string& path);
  Result<void> next_attributes();

  const Surroundings& surroundings_;
  env::FileSystem& fs_;
  const std::string root_;
  const TreeRules rules_;
  struct First {
    std::string path;
    Digest sha256;
  };
  std::map<std::uint64_t, First> shared_;  // by number
  std::vector<Directory> directories_;     // their modes and times are set last
  codec::MtreeEntry root_line_;
  std::string buffer_;
  // tree.attrs.ndjson, if there is one, and what of it comes next.
  std::optional<spool::Spool> attributes_;
  std::uint64_t attributes_at_ = 0;
  std::string attributes_text_;
  std::optional<codec::TreeAttributes> ahead_;
};

}  // namespace spl::surface
