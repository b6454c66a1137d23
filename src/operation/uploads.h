// Files that come in pieces, over any number of connections, for a restore: what was taken stays taken
// (docs/formats/door.md, "Uploads"). Any thread; of one upload one piece at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "base/stream.h"
#include "codec/shape.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::operation {

inline constexpr std::uint64_t kUploadBytesMax = 1ull << 40;
inline constexpr std::size_t kUploadsMax = 2;  // that are not whole
inline constexpr std::chrono::hours kUploadKept{24};
inline constexpr std::uint64_t kUploadRoomLeft = 64u << 20;  // of the disk

struct Upload {
  std::string id;
  std::string filename;  // a stranger's text
  std::uint64_t length = 0;
  std::uint64_t offset = 0;
  std::string expires_at;

  static constexpr auto shape() {
    using U = Upload;
    return codec::shape(codec::member("id", &U::id, "the upload"), codec::member("filename", &U::filename, "its name"),
                        codec::member("length", &U::length, "of all of it"),
                        codec::member("offset", &U::offset, "how much is here"),
                        codec::member("expires_at", &U::expires_at, "when it goes"));
  }
};

class Uploads {
 public:
  Uploads(env::Env env, const home::HomePaths& paths);

  // Room for all of it is set apart: cause kNoSpace, kTooLarge, kBusy where too many are not whole.
  Result<Upload> begin(const std::string& filename, std::uint64_t length);
  // Cause kNotFound.
  Result<Upload> find(const std::string& id);
  // Takes what `in` gives, from `offset` on. What has come is kept, whatever ends it. Code kRefused where it is not at
  // `offset`, cause kLocked where another piece comes just now, kTooLarge for more than was announced.
  Result<Upload> append(const std::string& id, std::uint64_t offset, Source& in, base::Progress& progress);
  Result<void> remove(const std::string& id);
  // Its file. Code kRefused where it is not whole.
  Result<std::string> whole_file(const std::string& id);

 private:
  Result<Upload> read(const std::string& id);
  Result<std::vector<Upload>> clear_old();
  [[nodiscard]] std::string file_of(const std::string& id) const { return env::join(directory_, id + ".part"); }
  [[nodiscard]] std::string note_of(const std::string& id) const { return env::join(directory_, id + ".json"); }

  env::Env env_;
  const std::string directory_;
  std::mutex mutex_;            // guards busy_, and is held while uploads are begun and cleared away
  std::set<std::string> busy_;  // to which a piece comes just now
};

}  // namespace spl::operation
