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
#include "surface/postgres/owners.h"
#include "surface/postgres/restore_target.h"

namespace spl::surface {

class Staging {
 public:
  // `engine`: what the manifest says of it.
  Staging(const Surroundings& surroundings, const RestoreTarget& target, Trust signer, EngineFacts engine)
      : surroundings_(surroundings), target_(target), signer_(signer), engine_(std::move(engine)) {}

  // All of it: the object id of what is staged.
  Result<std::string> run(PartSource& files, base::Progress& progress);
  // Whatever run() has left, at any point, or an exchange: all but what is live. No error where there is nothing.
  static Result<void> remove(const RestoreTarget& target);

 private:
  Result<std::string> run_steps(PartSource& files, base::Progress& progress);
  Result<void> read_list(Source& content, spool::Spool& head, base::Progress& progress);
  [[nodiscard]] ExtensionFacts extension_called(const std::string& name, const std::vector<ExtensionFacts>& live) const;
  Result<void> check_extensions(ServerConnection& admin);
  Result<void> make_role(ServerConnection& admin);
  Result<void> make_database(ServerConnection& admin);
  Result<void> make_extensions(base::Progress& progress);
  Result<void> make_extensions_by_admin();
  Result<std::string> list_word();
  [[nodiscard]] std::string list_path() const { return env::join(surroundings_.scratch_directory, "list"); }
  Result<void> find_way_in(ServerConnection& admin);
  [[nodiscard]] bool comes_with_dump(const ExtensionFacts& extension) const;
  Result<void> note_schemas();
  Result<void> load(Source& archive, std::uint64_t bytes, base::Progress& progress);
  Result<std::string> find_loaded_schema(ServerConnection& loaded);
  Result<std::string> finish_database(ServerConnection& admin, base::Progress& progress);
  Result<std::string> finish_schema(ServerConnection& admin, base::Progress& progress);
  Result<void> carry_schema_over(base::Progress& progress);
  Result<void> let_into_live(ServerConnection& live);
  Result<void> refuse_what_lies_elsewhere(ServerConnection& live);
  Result<void> refuse_open_doors(ServerConnection& live);
  Result<void> give_to_owners(ServerConnection& server);
  Result<void> lock_role_out(ServerConnection& admin);
  [[nodiscard]] ServerAddress role_address(const std::string& database) const;
  std::unexpected<Error> failed_load(const env::ChildExit& exit, const std::string& said) const;

  const Surroundings& surroundings_;
  const RestoreTarget& target_;
  const Trust signer_;
  const EngineFacts engine_;
  std::string list_;                        // of what the archive holds
  std::vector<ExtensionFacts> extensions_;  // that it needs, as far as is known
  SecretBytes password_;
  ServerAddress way_in_;  // of the role
  std::optional<DumpProgram> program_;
  Owners owners_;                              // who are to have it
  bool has_live_ = false;                      // something of this name is live
  std::vector<ExtensionFacts> by_admin_;       // extensions that the admin makes
  std::vector<std::string> schemas_by_admin_;  // and the schemas that he made for them
  std::vector<std::string> missing_;           // extensions that could not be made
  std::vector<std::string> schemas_before_;    // those of the loading database before it was loaded
};

}  // namespace spl::surface
