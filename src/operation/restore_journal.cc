#include "operation/restore_journal.h"

#include <algorithm>

#include "base/encoding.h"
#include "bundle/part_files.h"
#include "codec/json.h"
#include "env/process.h"

namespace spl::operation {
namespace {

constexpr std::size_t kJournalBytesMax = 64u << 20;
constexpr std::string_view kSuffix = ".json";
constexpr std::string_view kKeptSuffix = ".kept";

bool is_id(std::string_view text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

RestoreJournals::RestoreJournals(env::Env env, const home::HomePaths& paths)
    : env_(env), directory_(env::join(paths.root, "restores")) {}

std::string RestoreJournals::path_of(const std::string& id) const {
  return env::join(directory_, id + std::string(kSuffix));
}

Result<std::vector<RestoreJournal>> RestoreJournals::all() {
  std::vector<RestoreJournal> journals;
  if (!TRY(env_.fs.info(directory_))) return journals;
  for (const std::string& name : TRY(env_.fs.list(directory_))) {
    if (!name.ends_with(kSuffix) || !is_id(std::string_view(name).substr(0, name.size() - kSuffix.size()))) continue;
    const std::string path = env::join(directory_, name);
    const std::string text = TRY(env::read_file(env_.fs, path, kJournalBytesMax));
    const auto read = [&]() -> Result<RestoreJournal> {
      const codec::Json json = TRY(codec::Json::parse(text));
      return codec::parse_shape<RestoreJournal>(json, codec::Unknown::kRefused);
    }();
    if (!read || read->id + std::string(kSuffix) != name)
      return fail("the journal " + path + " cannot be read" + (read ? "" : ": " + read.error().message),
                  "a restore may be half done: look at what the file says before it is removed");
    journals.push_back(*read);
  }
  return journals;
}

Result<void> RestoreJournals::save(const RestoreJournal& journal) {
  TRY(env::make_directories(env_.fs, directory_));
  return env::write_file_atomically(env_.fs, path_of(journal.id), codec::shape_json(journal).text() + "\n");
}

Result<void> RestoreJournals::remove_unfinished() {
  if (!TRY(env_.fs.info(directory_))) return {};
  for (const std::string& name : TRY(env_.fs.list(directory_))) {
    if (name.starts_with('.') && name.ends_with(std::string(kSuffix) + ".tmp"))
      TRY(env_.fs.remove(env::join(directory_, name)));
    if (!name.ends_with(kKeptSuffix)) continue;
    const std::string id = name.substr(0, name.size() - kKeptSuffix.size());
    if (is_id(id) && !TRY(env_.fs.info(path_of(id)))) TRY(env::remove_tree(env_.fs, kept_of(id)));
  }
  return {};
}

// The journal first: one that is there finds what was kept for it, whole.
Result<void> RestoreJournals::remove(const std::string& id) {
  if (TRY(env_.fs.info(path_of(id)))) {
    TRY(env_.fs.remove(path_of(id)));
    TRY(env_.fs.sync_directory(directory_));
  }
  return env::remove_tree(env_.fs, kept_of(id));
}

Result<std::unique_ptr<env::Lock>> RestoreJournals::note_under_way() {
  TRY(env::make_directories(env_.fs, directory_));
  return env_.fs.try_lock_directory(directory_);
}

Result<bool> RestoreJournals::is_under_way() const {
  return env::is_locked(directory_);
}

std::string RestoreJournals::keep_directory(const std::string& id, std::string_view part) const {
  return env::join(kept_of(id), bundle::encoded_name(part));
}

}  // namespace spl::operation
