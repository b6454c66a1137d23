#include "service/catalog.h"

#include <algorithm>

#include "env/program_start.h"

namespace spl::service {
namespace {

constexpr std::string_view kSuffix = ".toml";
constexpr std::uint32_t kWritableByAll = 0002;

// Beside the program, of whatever prefix: bin/spl has ../share/spl/catalog, the program of a build share/spl/catalog.
Result<std::string> own_directory(env::Env env) {
  const std::string programs = env::parent_of(TRY(env::own_program()));
  for (const std::string& prefix : {env::parent_of(programs), programs}) {
    std::string beside = env::join(prefix, "share/spl/catalog");
    if (TRY(env.fs.info(beside))) return beside;
  }
  return std::string(SPL_CATALOG_DIRECTORY);
}

// Who may write it decides what is run: root, who runs this, or whose program this is.
Result<void> check_owner(env::Env env, const std::string& path) {
  const auto info = TRY(env.fs.info(path));
  if (!info) return {};
  if (info->type != env::FileType::kSymlink && (info->mode & kWritableByAll) != 0)
    return fail(ErrorCode::kRefused, path + " can be written by everybody: nothing is taken from it",
                "chmod o-w " + path);
  if (info->uid == 0 || info->uid == env::own_user_id()) return {};
  const auto program = TRY(env.fs.info(TRY(env::own_program())));
  if (program && program->uid == info->uid) return {};
  return fail(ErrorCode::kRefused, path + " is of another user: nothing is taken from it",
              "make it root's, with all that is in it: chown -R root " + path);
}

Result<Declaration> read_entry(env::Env env, const std::string& file, std::string_view name) {
  TRY(check_owner(env, file));
  const std::string followed = TRY(env::follow_to_file(env.fs, file));
  TRY(check_owner(env, followed));
  auto declaration = TRY(parse_declaration(file, TRY(env::read_file(env.fs, followed, kDeclarationBytesMax))));
  if (declaration.name != name)
    return wrong_at(declaration.at,
                    "name is " + declaration.name + ", and the file is called " + std::string(name) + ".toml");
  return declaration;
}

}  // namespace

Result<Catalog> Catalog::load(env::Env env, const home::Config& config) {
  std::vector<std::string> directories = config.catalogs;
  for (const std::string& named : directories) {
    if (!TRY(env.fs.info(named)))
      return fail(ErrorCode::kUsage, "config.toml: catalogs names " + named + ", which is not there",
                  "make the directory, or take it out of the line");
  }
  std::string own = TRY(own_directory(env));
  if (TRY(env.fs.info(own))) directories.push_back(std::move(own));
  return load_from(env, directories);
}

Result<Catalog> Catalog::load_from(env::Env env, const std::vector<std::string>& directories) {
  Catalog catalog;
  catalog.directories_ = directories;
  for (const std::string& directory : directories) {
    TRY(check_owner(env, directory));
    TRY(check_owner(env, env::join(directory, ".")));  // where the directory is named by a link
    for (const std::string& file : TRY(env.fs.list(directory))) {
      if (!file.ends_with(kSuffix) || file.starts_with('.')) continue;
      CatalogEntry entry{.name = file.substr(0, file.size() - kSuffix.size()), .file = env::join(directory, file)};
      if (std::ranges::find(catalog.entries_, entry.name, &CatalogEntry::name) != catalog.entries_.end()) continue;
      auto declaration = read_entry(env, entry.file, entry.name);
      if (declaration) {
        entry.declaration = std::move(*declaration);
      } else {
        entry.fault = std::move(declaration).error();
      }
      catalog.entries_.push_back(std::move(entry));
    }
  }
  std::ranges::sort(catalog.entries_, {}, &CatalogEntry::name);
  return catalog;
}

Result<const Declaration*> Catalog::find(std::string_view name) const {
  const auto found = std::ranges::find(entries_, name, &CatalogEntry::name);
  if (found == entries_.end()) return nullptr;
  if (found->fault) return std::unexpected(*found->fault);
  return &*found->declaration;
}

}  // namespace spl::service
