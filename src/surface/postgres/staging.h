// Loads a dump that somebody else made into a database made for it, as a role made for it: the role owns that database
// and nothing else, is in no other role, and logs in as itself. So whatever the dump tries ends at the server. What was
// loaded is then given to the role that is to have it. One thread; one restore. See docs/formats/postgres.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "spool/spool.h"
#include "surface/part.h"
#include "surface/postgres/database_facts.h"
#include "surface/postgres/dump_program.h"
#include "surface/postgres/restore_target.h"

namespace spl::surface {

class Staging {
 public:
  Staging(const Surroundings& surroundings, const RestoreTarget& target, Trust signer)
      : surroundings_(surroundings), target_(target), signer_(signer) {}

  // All of it: the object id of what is staged.
  Result<std::string> run(PartSource& files, base::Progress& progress);
  // Whatever run() has left, at any point, or an exchange: all but what is live. No error where there is nothing.
  static Result<void> remove(const RestoreTarget& target);

 private:
  Result<std::string> run_steps(PartSource& files, base::Progress& progress);
  Result<DumpFacts> read_facts_file(PartSource& files);
  Result<void> check_extensions(ServerConnection& admin);
  Result<void> make_role(ServerConnection& admin);
  Result<void> make_database(ServerConnection& admin);
  Result<void> make_extensions(base::Progress& progress);
  Result<void> make_extensions_by_admin();
  Result<std::string> list_word(Source& content, spool::Spool& head, base::Progress& progress);
  [[nodiscard]] std::string list_path() const { return env::join(surroundings_.scratch_directory, "list"); }
  Result<void> find_way_in(ServerConnection& admin);
  Result<void> load(PartSource& files, base::Progress& progress);
  Result<void> compare(ServerConnection& server, const std::string& schema, base::Progress& progress);
  Result<std::string> finish_database(ServerConnection& admin, base::Progress& progress);
  Result<std::string> finish_schema(ServerConnection& admin, base::Progress& progress);
  Result<void> carry_schema_over(base::Progress& progress);
  Result<void> let_into_live(ServerConnection& live);
  Result<void> refuse_what_lies_elsewhere(ServerConnection& live);
  Result<void> refuse_borrowed_rights(ServerConnection& server);
  Result<void> give_to_owner(ServerConnection& server);
  Result<void> copy_properties(ServerConnection& admin);
  Result<void> copy_settings(ServerConnection& admin);
  Result<void> lock_role_out(ServerConnection& admin);
  [[nodiscard]] ServerAddress role_address(const std::string& database) const;
  std::unexpected<Error> failed_load(const env::ChildExit& exit, const std::string& said) const;

  const Surroundings& surroundings_;
  const RestoreTarget& target_;
  const Trust signer_;
  DumpFacts facts_;
  SecretBytes password_;
  ServerAddress way_in_;  // of the role
  std::optional<DumpProgram> program_;
  std::string owner_;                          // who is to have it
  bool has_live_ = false;                      // something of this name is live
  std::vector<ExtensionFacts> by_admin_;       // extensions that the admin makes
  std::vector<std::string> schemas_by_admin_;  // and the schemas that he made for them
  std::vector<std::string> missing_;           // extensions that could not be made
};

// Who is to own what is restored: the owner of what is live, else the url's role.
Result<std::string> owner_of_restored(ServerConnection& admin, const RestoreTarget& target);

}  // namespace spl::surface
