// Bare repositories as they lie in files: where they are, and their refs, read without git, so that a moment is short.
// One thread. Source: gitrepository-layout(5), git-pack-refs(1).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "env/file_system.h"

namespace spl::surface {

// A directory with HEAD, objects/ and refs/.
Result<bool> is_repository(env::FileSystem& fs, const std::string& path);

// Names of the repositories at or below `root`, ascending: "" of the root itself, else paths from it ("a/b.git"). What
// begins with ".spl-" is passed over, and so are `inner` paths.
Result<std::vector<std::string>> find_repositories(env::FileSystem& fs, const std::string& root,
                                                   const std::vector<std::string>& inner);

// A name that a repository may have below a root: a relative path that leads nowhere else.
bool is_repository_name(std::string_view name);
// A ref that a bundle may name: below refs/, and one that git takes (git-check-ref-format(1)).
bool is_ref_name(std::string_view name);
// An object id in hexadecimal.
bool is_object_id(std::string_view text);

// <repository>.json
struct SymbolicRef {
  std::string name;
  std::string target;

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &SymbolicRef::name, "a ref that names another"),
                        codec::member("target", &SymbolicRef::target, "that other"));
  }
};
struct RepositoryFacts {
  std::string head;  // a ref, or an object id where it is detached
  std::string description;
  std::vector<SymbolicRef> symbolic_refs;

  static constexpr auto shape() {
    using F = RepositoryFacts;
    using enum codec::Presence;
    return codec::shape(codec::member("head", &F::head, "a ref, or an object id"),
                        codec::member("description", &F::description, "what the file of this name says", kOmitted),
                        codec::member("symbolic_refs", &F::symbolic_refs, "refs that name others", kOmitted));
  }
};

struct RepositoryMoment {
  std::map<std::string, std::string> refs;  // name to object id, in hexadecimal
  RepositoryFacts facts;
};
// As it is now; somebody may be writing. Code kUsage of a shallow one, which has not all of its history.
Result<RepositoryMoment> read_repository(env::FileSystem& fs, const std::string& path);

}  // namespace spl::surface
