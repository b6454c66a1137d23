// Files of a bundle in batches: read by one thread, hashed and checked by several. Internal to the reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bundle/layout.h"
#include "record/record.h"

namespace spl::bundle {

// Entries as they came from the tar: places in one arena.
struct RawBatch {
  struct Item {
    EntryKind kind = EntryKind::kRecord;
    std::size_t path_begin = 0, path_bytes = 0;
    std::size_t content_begin = 0, content_bytes = 0;
  };
  std::size_t section = 0;  // of the manifest's sections; all items are of one
  std::string arena;
  std::vector<Item> items;

  [[nodiscard]] std::string_view path(const Item& item) const {
    return std::string_view(arena).substr(item.path_begin, item.path_bytes);
  }
  [[nodiscard]] std::string_view content(const Item& item) const {
    return std::string_view(arena).substr(item.content_begin, item.content_bytes);
  }
};

struct CheckedBatch {
  RawBatch raw;
  std::vector<Digest> sha256;                  // one an item
  std::vector<std::optional<Record>> records;  // one an item, there for a kRecord; none where they are not wanted
  std::string digest_lines;
  // The first item that breaks a rule; those before it are good.
  std::optional<Error> error;
};

// Hashes every item and checks every record: canonical, true to its name, under its own thread.
CheckedBatch check_batch(RawBatch&& raw, Records records);

}  // namespace spl::bundle
