// What a service says about itself, in one TOML file: how it runs, where its state is, which secrets it wants
// (docs/formats/declaration.md). Read strictly: an unknown key, a value of another type or an unknown placeholder is an
// error with file, line and key. What only several services together show is checked in service_set.h.
// Values; any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "bundle/surface_kind.h"
#include "service/file_place.h"
#include "service/install_source.h"

namespace spl::service {

using bundle::SecretClass;
using bundle::SurfaceClass;
using bundle::SurfaceKind;

using Command = std::vector<std::string>;  // without a shell; the program first

// How a service's writers are kept still for the moment of a snapshot.
enum class Quiesce : std::uint8_t { kFreeze, kHook, kNone };
constexpr auto names_of(Quiesce /*type*/) {
  return std::to_array<std::pair<Quiesce, std::string_view>>(
      {{Quiesce::kFreeze, "freeze"}, {Quiesce::kHook, "hook"}, {Quiesce::kNone, "none"}});
}

// What runs a service that has [run].
enum class RunWay : std::uint8_t {
  kCommand,    // spl itself, by runit
  kUnit,       // systemd
  kContainer,  // podman or docker
};

// Whom the router lets to a service.
enum class RouteAccess : std::uint8_t {
  kOwner,  // who is signed in at the owner's door
  kOpen,   // everybody: the service asks itself
};
constexpr auto names_of(RouteAccess /*type*/) {
  return std::to_array<std::pair<RouteAccess, std::string_view>>(
      {{RouteAccess::kOwner, "owner"}, {RouteAccess::kOpen, "open"}});
}

struct RunDeclaration {
  Command command;        // one of these three
  std::string unit;       // "notes.service"
  std::string container;  // its name
  std::string user;       // "" is the one that spl has
  std::string group;      // "" is the user's
  std::string workdir;
  std::map<std::string, std::string> env;
  Command init;
  std::string stop_signal = "TERM";
  std::chrono::milliseconds stop_timeout{10000};
  std::chrono::milliseconds start_timeout{60000};
  std::vector<std::string> health;  // one text that is an address, or a command
  bool health_is_command = false;
  std::vector<std::string> listen;
  std::string route;  // "": none
  RouteAccess access = RouteAccess::kOwner;

  // Where the router reaches it, with its placeholders: the first that it listens on, else where its health is asked.
  // "unix:PATH" or "tcp:HOST:PORT"; "" where neither says.
  [[nodiscard]] std::string routed_address() const;
  [[nodiscard]] RunWay way() const {
    if (!unit.empty()) return RunWay::kUnit;
    return container.empty() ? RunWay::kCommand : RunWay::kContainer;
  }
};

struct QuiesceDeclaration {
  std::optional<Quiesce> method = {};
  Command before;
  Command after;
  std::chrono::milliseconds timeout{2000};
};

// How a database is cut by context.
struct Split {
  enum class How : std::uint8_t { kDatabase, kSchema, kPrefix };
  How how = How::kDatabase;
  std::string pattern;
};

struct SurfaceDeclaration {
  std::string name;
  SurfaceKind kind = SurfaceKind::kFiles;
  SurfaceClass surface_class = SurfaceClass::kSource;
  std::string path;
  std::vector<std::string> exclude;
  std::string hooks_template;
  std::string url;
  std::string admin_url;
  std::optional<Split> split = {};
  Command dump;
  Command restore;
  Command check;
  Command rebuild;
  FilePlace at;

  // Whether it falls into a part for each context.
  [[nodiscard]] bool is_split() const;
  // "path {context}", "schema ctx_{context}"; "" where it is not split.
  [[nodiscard]] std::string split_text() const;
};

struct SecretDeclaration {
  std::string handle;  // may have {context}
  SecretClass secret_class = SecretClass::kPortable;
  bool required = false;
  Command generate;
  FilePlace at;
};

struct RestoreDeclaration {
  Command staged;
  Command after;
};

struct MigrationDeclaration {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  Command command;
  FilePlace at;
};

struct Declaration {
  std::string name;
  std::string version;
  std::uint64_t schema = 0;
  std::string summary;
  std::vector<std::string> after;
  std::optional<InstallDeclaration> install = {};
  std::optional<RunDeclaration> run = {};
  QuiesceDeclaration quiesce;
  std::vector<SurfaceDeclaration> surfaces;
  std::vector<SecretDeclaration> secrets;
  RestoreDeclaration restore;
  std::vector<MigrationDeclaration> migrations;
  std::string text;  // the whole file
  FilePlace at;      // its name

  [[nodiscard]] const SurfaceDeclaration* surface(std::string_view name) const;
  // Those that bring data of this schema to the declared one, in their order; none where it is the declared one, or
  // there is no way.
  [[nodiscard]] std::vector<const MigrationDeclaration*> migrations_from(std::uint64_t older_schema) const;
};

inline constexpr std::size_t kDeclarationBytesMax = 1u << 20;

// The variable in which migrations and [restore].staged find a surface: SPL_STAGED_FILES.
std::string staged_variable(std::string_view surface);

// Code kUsage: "<file>:<line>: <key> <what is wrong>".
Result<Declaration> parse_declaration(const std::string& file, const std::string& text);

// Of postgres, mariadb and redis: what a server's own processes serve.
constexpr bool is_database(SurfaceKind kind) {
  return kind == SurfaceKind::kPostgres || kind == SurfaceKind::kMariadb || kind == SurfaceKind::kRedis;
}

}  // namespace spl::service
