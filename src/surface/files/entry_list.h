// A list of a tree's entries that does not lie in memory: written once, from the first to the last, and read as often
// as is wanted. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "env/file_system.h"
#include "spool/spool.h"

namespace spl::surface {

struct ListedEntry {
  std::string path;
  env::FileInfo info;
  std::string target;                              // of a symbolic link
  std::vector<env::ExtendedAttribute> attributes;  // ascending by name
  std::uint64_t content_at = 0;                    // of a file: where its content is in the spool of contents
  std::uint64_t content_bytes = 0;
  bool is_cloned = false;   // the content is among the clones, not in the spool
  bool is_settled = false;  // it was old enough, and did not change while it was read
};

class EntryList {
 public:
  static Result<EntryList> make(env::Env env, const spool::SpoolOptions& options);

  Result<void> append(const ListedEntry& entry);
  // No more comes; reading begins at the first one. May be called again.
  Result<void> rewind();
  Result<std::optional<ListedEntry>> next();
  [[nodiscard]] std::uint64_t size() const { return entries_; }

 private:
  explicit EntryList(spool::Spool spool) : spool_(std::move(spool)) {}
  Result<void> flush();
  Result<std::string_view> take(std::size_t bytes);
  template <class Number>
  Result<Number> take_number();
  Result<std::string> take_text();

  spool::Spool spool_;
  std::string buffer_;  // being written, or read
  std::size_t buffer_at_ = 0;
  std::uint64_t spool_at_ = 0;  // read so far
  std::uint64_t entries_ = 0;
  std::uint64_t given_ = 0;
};

}  // namespace spl::surface
