// The contexts (tenants) of an instance: contexts.toml in the home, a name and a number each, both unique
// (docs/formats/declaration.md). One thread at a time changes it: who holds the home's lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/env.h"
#include "home/home.h"
#include "service/placeholders.h"

namespace spl::service {

class Contexts {
 public:
  // None where there is no file. Errors name file and line.
  static Result<Contexts> load(env::Env env, const home::HomePaths& paths);
  // Those of a home whose file is not looked at: for who goes on without it.
  static Contexts none(env::Env env, const home::HomePaths& paths);

  [[nodiscard]] const std::vector<Context>& all() const { return contexts_; }
  [[nodiscard]] const Context* find(std::string_view name) const;
  [[nodiscard]] const Context* find(std::uint64_t id) const;
  // Code kUsage, cause kNotFound: nothing ever falls back to another.
  Result<const Context*> require(std::string_view name) const;
  // The smallest number from 1 that is free.
  [[nodiscard]] std::uint64_t free_id() const;

  // Each is durable when it returns; comments of the file do not stay. Code kRefused where name or id are taken.
  Result<void> add(Context context);
  Result<void> remove(std::string_view name);
  Result<void> rename(std::string_view from, std::string_view to);
  // The same in memory alone, to see what would come of it.
  Result<void> rename_unsaved(std::string_view from, std::string_view to);

 private:
  Contexts(env::Env env, std::string path) : env_(env), path_(std::move(path)) {}
  Result<void> save(std::vector<Context> contexts);
  [[nodiscard]] Result<std::vector<Context>> renamed(std::string_view from, std::string_view to) const;
  env::Env env_;
  std::string path_;
  std::vector<Context> contexts_;  // by id
};

}  // namespace spl::service
