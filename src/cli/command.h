// The tree of commands: one description from which arguments are parsed and help, man pages and completion are made.
// Built once, never changed; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/arguments.h"
#include "codec/json.h"

namespace spl::cli {

class Session;

enum class Times : bool { kOnce, kAny };
// What a value names, for completion.
enum class Names : std::uint8_t {
  kAnything,
  kFile,
  kDirectory,
  kThread,
  kRecord,
  kAccount,
  kToken,
  kScope,
  kCommand,
  kService,
  kContext,
  kPeer,
  kRequest,
  kConsent,
  kAdapter,
  kRule,
  kSecret,
  kSchedule
};

struct Option {
  std::string name;   // "--out", or "-o,--output"
  std::string value;  // "PATH"; empty for a flag
  std::string help;   // one line, without a full stop
  Times times = Times::kOnce;
  Names names = Names::kAnything;
  std::vector<std::string> choices = {};  // not empty: nothing else is taken
};

struct Positional {
  std::string name;  // "FILE"
  std::string help;
  enum class Need : std::uint8_t {
    kRequired,
    kOptional,
    kSome,
    kAny
  } need = Need::kRequired;  // one or more, zero or more
  Names names = Names::kAnything;
  std::vector<std::string> choices = {};  // not empty: nothing else is taken
};

// The exit code; an error's code is one too.
using Handler = Result<int> (*)(Session& session, const Arguments& arguments);

struct Command {
  std::string name;
  std::string summary;       // one line, without a full stop
  std::string details = {};  // paragraphs for help and man page; may be empty
  std::vector<Option> options = {};
  std::vector<Positional> positionals = {};
  std::vector<std::string> examples = {};  // whole command lines; at least one
  Handler run = nullptr;                   // null where it only has commands below it
  codec::Json (*schema)() = nullptr;       // of what it prints with -o json; null where it prints no JSON
  bool needs_home = true;                  // false: it works where not even a home can be named
  bool hears_signals = false;              // true: it ends on signals in its own way
  bool subject_first = false;              // its first positional may stand before its name: spl service X start
  std::vector<Command> commands = {};
};

// The program itself: its options are those that every command takes.
const Command& program();

// The parts that program() is made of; each stands beside what its commands do.
std::vector<Command> instance_commands();     // init, status, version, doctor
std::vector<Command> daemon_commands();       // serve, stop
std::vector<Command> identity_commands();     // identity, authority
std::vector<Command> record_commands();       // intend, do, know, learn, record
std::vector<Command> thread_commands();       // thread
std::vector<Command> portability_commands();  // export, import
std::vector<Command> bundle_commands();       // bundle
std::vector<Command> access_commands();       // service-account, token
std::vector<Command> federation_commands();   // federation, sync, aitl
std::vector<Command> policy_commands();       // consent, adapter, config, trust
std::vector<Command> service_commands();      // service, inventory
std::vector<Command> context_commands();      // context, secret
std::vector<Command> door_commands();         // router, owner
std::vector<Command> job_commands();          // job, backup, activity
std::vector<Command> schedule_commands();     // schedule
std::vector<Command> tenant_commands();       // tenant
std::vector<Command> shell_commands();        // help, completion, man
Command log_command();
Command export_command();
Command move_command();
Command import_command();
Command bundle_extract_command();
Command bundle_diff_command();
Command install_command();  // of service
Command backup_prune_command();
Command catalog_command();

// "--out" of "-o,--output": the name by which Arguments has it.
std::string key_of(const Option& option);

}  // namespace spl::cli
