// All services that a home declares, with its contexts: what they are together. Loading checks what no declaration
// shows by itself: surfaces that meet, splits that are not clear, addresses that two services bind, an order that goes
// round in a circle. Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/env.h"
#include "env/users.h"
#include "home/home.h"
#include "service/contexts.h"
#include "service/declaration.h"
#include "surface/part.h"

namespace spl::service {

// One part of a surface: all of it, or one context's.
struct PartName {
  const Declaration* service = nullptr;
  const SurfaceDeclaration* surface = nullptr;
  const Context* context = nullptr;  // null where the surface is not split
  // "notes/files", "notes/files of geomind".
  [[nodiscard]] std::string text() const;
  // "services/notes/files/geomind/".
  [[nodiscard]] std::string section() const;
};

// What is wrong with a home's declarations or contexts.
struct SetFault {
  std::string file;
  Error error;
};

class ServiceSet {
 public:
  // Code kUsage, with file, line and key, where a declaration or contexts.toml is wrong.
  static Result<ServiceSet> load(env::Env env, const home::HomePaths& paths);
  // The same with declarations that the home does not have, as if they were its own.
  static Result<ServiceSet> load_with(env::Env env, const home::HomePaths& paths, std::vector<Declaration> added);

  // What of them can be read, for who looks at a home in which something may be wrong: all that is wrong with single
  // files is added to `faults`, in their order; where there is nothing of the kind, the first thing that is wrong with
  // all of them together.
  static Result<ServiceSet> load_readable(env::Env env, const home::HomePaths& paths, std::vector<SetFault>& faults,
                                          std::vector<Declaration> added = {});

  // The home's contexts, and no service.
  static Result<ServiceSet> none(env::Env env, const home::HomePaths& paths);

  // In the order in which they start: engines first, then by `after`, then by name.
  [[nodiscard]] const std::vector<Declaration>& services() const { return services_; }
  [[nodiscard]] const Declaration* find(std::string_view name) const;
  // Code kUsage, cause kNotFound.
  Result<const Declaration*> require(std::string_view name) const;
  [[nodiscard]] const Contexts& contexts() const { return contexts_; }
  [[nodiscard]] Contexts& contexts() { return contexts_; }

  // Whether its own processes serve a declared database, of any service.
  [[nodiscard]] bool is_engine(const Declaration& service) const;
  // The service whose processes serve it, if one is declared.
  [[nodiscard]] const Declaration* engine_of(const Declaration& service, const SurfaceDeclaration& surface) const;

  [[nodiscard]] std::string data_directory(std::string_view service) const;
  [[nodiscard]] std::string run_directory(std::string_view service) const;
  [[nodiscard]] PlaceholderValues values(const Declaration& service, const Context* context) const;

  // The parts of a surface: one for each context, or one. With `only`, that context's; none of what is not split.
  [[nodiscard]] std::vector<PartName> parts_of(const Declaration& service, const SurfaceDeclaration& surface,
                                               const Context* only) const;
  // Where a part is; for databases the secrets of its URL are asked for. Its context need not be in contexts().
  Result<surface::Place> place_of(const PartName& part, const SecretLookup& secrets) const;

  [[nodiscard]] const home::HomePaths& paths() const { return paths_; }
  // Where this process is root's and the home another user's: what its declarations name is run as that user.
  [[nodiscard]] const std::optional<env::UserIds>& home_owner() const { return home_owner_; }
  // Errors of the whole, to be checked again before a context is added or renamed.
  Result<void> check() const;

 private:
  ServiceSet(home::HomePaths paths, Contexts contexts) : paths_(std::move(paths)), contexts_(std::move(contexts)) {}
  Result<void> order();
  Result<void> settle(env::Env env);
  Result<void> check_meeting() const;
  Result<void> check_own_files(env::Env env) const;
  Result<void> check_programs(env::Env env, const SurfaceDeclaration& surface, const std::string& path,
                              const Declaration& service) const;
  Result<void> check_listening() const;
  Result<void> check_freezing() const;
  Result<void> check_identifiers() const;
  Result<std::vector<std::string>> files_of(const Context* only) const;

  home::HomePaths paths_;
  Contexts contexts_;
  std::vector<Declaration> services_;
  std::optional<env::UserIds> home_owner_ = {};
  std::vector<std::string> file_places_;  // of every surface that lies in files: for Place::inner
};

// Who owns the home, where this process is root's and the home is another user's; else nothing.
Result<std::optional<env::UserIds>> foreign_owner_of(env::Env env, const home::HomePaths& paths);

// The socket or address by which a database is reached: "unix:/x/redis.sock", "tcp:host:port"; "" where none is said.
std::string address_of_url(SurfaceKind kind, std::string_view url);

}  // namespace spl::service
