// The kinds and classes of surfaces, and the classes of secrets: enums inside, words in a manifest and in a
// declaration. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace spl::bundle {

// Where a service keeps state, by what reads and writes it.
enum class SurfaceKind : std::uint8_t { kFiles, kGit, kSqlite, kPostgres, kMariadb, kRedis, kCommand };
constexpr auto names_of(SurfaceKind /*type*/) {
  using enum SurfaceKind;
  return std::to_array<std::pair<SurfaceKind, std::string_view>>({{kFiles, "files"},
                                                                  {kGit, "git"},
                                                                  {kSqlite, "sqlite"},
                                                                  {kPostgres, "postgres"},
                                                                  {kMariadb, "mariadb"},
                                                                  {kRedis, "redis"},
                                                                  {kCommand, "command"}});
}

// What it costs to be without a surface: it is the truth, it is cheap to rebuild, or it is rebuilt at a price.
enum class SurfaceClass : std::uint8_t { kSource, kDerived, kDerivedCostly };
constexpr auto names_of(SurfaceClass /*type*/) {
  using enum SurfaceClass;
  return std::to_array<std::pair<SurfaceClass, std::string_view>>(
      {{kSource, "source"}, {kDerived, "derived"}, {kDerivedCostly, "derived-costly"}});
}

// What the next machine needs of a secret: this value, a new one, one of its own, or any that a person gives.
enum class SecretClass : std::uint8_t { kPortable, kRegenerate, kHostBound, kUserSupplied };
constexpr auto names_of(SecretClass /*type*/) {
  using enum SecretClass;
  return std::to_array<std::pair<SecretClass, std::string_view>>({{kPortable, "portable"},
                                                                  {kRegenerate, "regenerate"},
                                                                  {kHostBound, "host-bound"},
                                                                  {kUserSupplied, "user-supplied"}});
}

}  // namespace spl::bundle
