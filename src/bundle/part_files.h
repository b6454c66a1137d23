// The files of one part of a surface, in the order in which they come: which names there may be, and which of them need
// another beside them (docs/formats/bundle.md, "Layout"). Internal to the reader. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bundle/surface_kind.h"

namespace spl::bundle {

class PartFiles {
 public:
  // `prefix` is the part's section, `kind` its surface's, none where it is no service's; what came before has ended.
  // The view outlives the part.
  void begin(std::string_view prefix, std::optional<SurfaceKind> kind);
  // The next file, `path` counted from the prefix. Paths are ascending. Errors name the entry; code kVerification.
  Result<void> add(std::string_view path);
  // Nothing more comes of this part.
  Result<void> end();

 private:
  Result<void> check_pairs(std::string_view path);

  std::string_view prefix_;
  std::optional<SurfaceKind> kind_;
  // Of git: repositories whose .json is still to come. Each name here begins with the one before it.
  std::vector<std::string> unpaired_;
};

// What stands for any name in a bundle: bytes outside A-Z a-z 0-9 . _ - and a leading dot as %XX, the empty name as %,
// a long one as %% and 64 digits. Whether there is a name whose encoding this is.
bool is_encoded_name(std::string_view text);
// Its encoding; the name of an encoding, nothing where it does not tell (a long one) or is none.
std::string encoded_name(std::string_view name);
std::optional<std::string> decoded_name(std::string_view encoded);

}  // namespace spl::bundle
