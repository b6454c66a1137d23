// What of a service's part two bundles have in common: file by file, and of git, Redis and PostgreSQL by what a file
// holds, so that the same state is the same although its octets differ (docs/formats/bundle.md, "What is the same").
// Internal to bundle diff. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "codec/shape.h"
#include "operation/bundle_side.h"
#include "surface/postgres/dump_content.h"

namespace spl::operation {

// How many things of a part differ, from the first bundle to the second.
struct ItemCounts {
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t changed = 0;
  std::uint64_t touched = 0;  // entries of a tree of which only owner or time differ

  ItemCounts& operator+=(const ItemCounts& other);
};

// What a part of this kind is counted in, for people: "entries", "refs and repositories".
std::string_view items_of(bundle::SurfaceKind kind);

// The current file of a service that only one side has: how many things it holds.
Result<std::uint64_t> count_items(BundleSide& side);

struct FileComparison {
  bool same = true;
  ItemCounts counts;
};
// The current file of both, which has one path.
Result<FileComparison> compare_service_file(BundleSide& a, BundleSide& b, surface::DumpContent& dumps);

}  // namespace spl::operation
