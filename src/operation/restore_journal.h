// What a restore of services is about to do, written down before it is done, so that the next start can finish it or
// take it back (docs/formats/restore-journal.md). After the restore it stays as long as the state that was replaced is
// kept as `previous`: it says where that is. One file for each restore, restores/<id>.json in the home. One thread at a
// time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "bundle/surface_kind.h"
#include "codec/shape.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::operation {

enum class RestorePhase : std::uint8_t {
  kStaging,    // nothing that is live was touched
  kSwitching,  // some parts may be swapped and some not: the record store's commit line says which way to go
  kPrevious,   // done; what was replaced is kept
};
constexpr auto names_of(RestorePhase /*type*/) {
  using enum RestorePhase;
  return std::array{std::pair{kStaging, "staging"}, std::pair{kSwitching, "switching"},
                    std::pair{kPrevious, "previous"}};
}

struct JournalContext {
  std::string name;
  std::uint64_t id = 0;

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &JournalContext::name, "the context"),
                        codec::member("id", &JournalContext::id, "its number"));
  }
};

// One part that is staged.
struct JournalPart {
  std::string service;
  std::string surface;
  std::string context;  // "" where the surface is not split
  std::string mark;     // what tells both sides apart; "" until it is staged

  static constexpr auto shape() {
    using P = JournalPart;
    return codec::shape(codec::member("service", &P::service, "whose it is"),
                        codec::member("surface", &P::surface, "of which surface"),
                        codec::member("context", &P::context, "of which context; empty where it is not split"),
                        codec::path_member("mark", &P::mark, "what tells the staged side from the live one"));
  }
};

struct RestoreJournal {
  std::string id;  // 16 hexadecimal digits
  RestorePhase phase = RestorePhase::kStaging;
  std::string began_at;
  std::string bundle_sha256;
  std::vector<std::string> services;  // that are down meanwhile, in the order in which they start
  std::vector<JournalContext> added_contexts;
  std::vector<JournalPart> parts;
  std::optional<std::uint64_t> kept_records = {};  // of the store, which the bundle's replace

  static constexpr auto shape() {
    using J = RestoreJournal;
    return codec::shape(
        codec::member("id", &J::id, "of this restore"), codec::member("phase", &J::phase, "how far it is"),
        codec::member("began_at", &J::began_at, "when it began"),
        codec::member("bundle_sha256", &J::bundle_sha256, "of the bundle"),
        codec::member("services", &J::services, "what is down meanwhile, in starting order"),
        codec::member("added_contexts", &J::added_contexts, "contexts that were not here"),
        codec::member("parts", &J::parts, "what is staged"),
        codec::member("kept_records", &J::kept_records, "how many records were replaced; missing: they were not",
                      codec::Presence::kOmitted));
  }
};

class RestoreJournals {
 public:
  RestoreJournals(env::Env env, const home::HomePaths& paths);
  // By id. An error where one cannot be read: then nobody knows what is half done, and a person must look.
  Result<std::vector<RestoreJournal>> all();
  // Durable when it returns; replaces the one of the same id.
  Result<void> save(const RestoreJournal& journal);
  // What a killed save() has left beside the journals, and what was kept for one that is not there any more. Who calls
  // holds the home's lock.
  Result<void> remove_unfinished();
  // As long as it is held is_under_way() is true for every process: a restore or a renaming is at work, and not cut
  // off. Null where another of this process holds it.
  Result<std::unique_ptr<env::Lock>> note_under_way();
  [[nodiscard]] Result<bool> is_under_way() const;
  // No error where it is not there. What was kept for it goes with it.
  Result<void> remove(const std::string& id);
  // Where the records are kept that were replaced; it need not be there.
  [[nodiscard]] std::string records_file(const std::string& id) const {
    return env::join(kept_of(id), "records.ndjson");
  }
  // Where a part ("notes/memory of geomind") may keep what it has replaced; it need not be there.
  [[nodiscard]] std::string keep_directory(const std::string& id, std::string_view part) const;

 private:
  [[nodiscard]] std::string path_of(const std::string& id) const;
  [[nodiscard]] std::string kept_of(const std::string& id) const { return env::join(directory_, id + ".kept"); }
  env::Env env_;
  std::string directory_;
};

// The commit line: what the record store's setting of this name holds is the id of the last restore that was committed.
inline constexpr std::string_view kRestoreCommittedSetting = "restore_committed";
// What this one holds is the id of the restore whose records are the store's, as long as those before can come back.
inline constexpr std::string_view kRecordsReplacedSetting = "records_replaced";

}  // namespace spl::operation
