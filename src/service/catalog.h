// Catalogs: directories of declarations from which a home can take some. A file NAME.toml declares the service NAME.
// The first directory that has a name is the one that counts. Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/env.h"
#include "home/home.h"
#include "service/declaration.h"

namespace spl::service {

struct CatalogEntry {
  std::string name;
  std::string file;
  std::optional<Declaration> declaration = {};  // nothing where the file is wrong
  std::optional<Error> fault = {};              // then
};

class Catalog {
 public:
  // What config.toml names, then what spl brings: share/spl/catalog beside the bin/ of this program, or where it was
  // built to be. A directory that is not there is no error where spl brings it, and one where config.toml names it.
  static Result<Catalog> load(env::Env env, const home::Config& config);
  static Result<Catalog> load_from(env::Env env, const std::vector<std::string>& directories);

  // By name.
  [[nodiscard]] const std::vector<CatalogEntry>& entries() const { return entries_; }
  // Null where there is none; an error where the file that should declare it is wrong.
  Result<const Declaration*> find(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& directories() const { return directories_; }

 private:
  std::vector<std::string> directories_;
  std::vector<CatalogEntry> entries_;
};

}  // namespace spl::service
