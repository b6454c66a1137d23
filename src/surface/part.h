// What a driver is: how one part of a surface (all of it, or one context's) is taken at one moment and brought back all
// or nothing. One class each way and kind, in a folder of its own; decisions/D-11 has the whole contract. A driver
// knows its engine, and nothing of services, contexts, secrets' handles or the pause: the places that it is given have
// their placeholders replaced.
//
// One thread at a time a part; parts at the same time. Every wait looks at Progress::cancelled().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/progress.h"
#include "base/result.h"
#include "bundle/surface_kind.h"
#include "env/child_process.h"
#include "env/env.h"
#include "spool/spool.h"
#include "surface/finding.h"
#include "surface/part_stream.h"
#include "surface/shared_views.h"

namespace spl::surface {

// The commands of a command surface, with their placeholders replaced.
struct PartCommands {
  std::vector<std::string> dump;     // writes the part to its standard output
  std::vector<std::string> restore;  // puts what it reads in the place of all that is there
  std::vector<std::string> check;    // reads a dump and says what is in it; empty where there is none
  // What a child has around it, without its arguments. The environment has secrets: who is given it wipes it.
  std::function<Result<env::ChildOptions>(env::Env)> surroundings;
  // Takes what they say: to the service's log.
  std::function<void(env::Env, std::string_view)> log;
};

// Where a part is. Only what its kind has is set.
struct Place {
  bundle::SurfaceKind kind = bundle::SurfaceKind::kFiles;
  std::string subject;  // for messages: "notes/files", "notes/files of geomind"
  // files: a directory; git: a bare repository, or a directory below which there are some; sqlite: a database file, or
  // a pattern with * in its last component. Absolute.
  std::string path;
  std::vector<std::string> exclude;  // files: globs, from the tree's root: "cache/**"
  // files: absolute paths that are parts of other surfaces: those below `path` are passed over. They may have a *.
  std::vector<std::string> inner;
  std::string hooks_template;             // git: a hooks directory for repositories that are new; "" is none
  SecretBytes url;                        // postgres, redis: may hold a password: never shown, never an argument
  SecretBytes admin_url;                  // postgres: who may create databases and roles; empty: `url`
  std::optional<std::string> schema;      // postgres, of a split: what is this part's, placeholders replaced
  std::optional<std::string> database;    // postgres and redis, of a split
  std::optional<std::string> key_prefix;  // redis, of a split
  // redis, for a restore: what the keys of the bundle begin with, where it is not key_prefix.
  std::optional<std::string> bundled_key_prefix;
  std::vector<std::string> other_databases;   // redis, of a split: those of other contexts, also without a key
  std::optional<PartCommands> commands = {};  // command
  std::optional<env::UserIds> owner;          // whose the restored files are, where this process is root; none: its own
};

inline constexpr std::string_view kToolPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// What every driver needs from its caller; it outlives the parts.
struct Surroundings {
  env::Env env;
  spool::SpoolOptions spool;           // where bytes wait; they may be secret
  std::string scratch_directory;       // 0700, there, empty at first, short enough for a socket in it
  SharedViews* views = nullptr;        // of all parts of one moment; none: a part is alone
  base::Progress* progress = nullptr;  // for calls that are given none; it may be missing
  // Where file-system snapshots are noted before they are made; empty: none is made.
  std::string snapshot_list = {};
  std::string tool_path = std::string(kToolPath);  // where the programs of file systems are looked for
};

// How much one moment the view is that open() has taken.
enum class Consistency : std::uint8_t {
  kQuiesced,    // all that was written before the pause, and nothing else
  kFilesystem,  // of one moment, but in the middle of what was being written
  kCrash,       // read while it was being written
};
enum class Writers : bool { kRunning, kPaused };

struct BackupPlan {
  std::uint64_t bytes = 0;  // about what will be read
  std::uint64_t files = 0;  // of a tree: what lengthens the pause
  std::string engine;       // "postgresql 15.18", "redis 7.0.15 rdb 10", "sqlite 3.40.1", "git 2.39.5"; "" for files
  std::string method;       // for people: "read ahead, compared in the pause"
  std::vector<std::string> warnings;  // what will not be carried, or restores elsewhere only with help
};

// A part on its way into a bundle: plan, prepare, hold, open, release, stream, in this order, each once. What it holds
// of its engine ends with it. Errors before stream() have changed nothing.
class BackupPart {
 public:
  virtual ~BackupPart() = default;
  // Everything runs. Measures, finds tools, waits for what the engine does by itself; refuses what cannot work. Code
  // kUnavailable where the engine or a tool is not there.
  virtual Result<BackupPlan> plan(base::Progress& progress) = 0;
  // Everything runs. Reads ahead what no view can be opened of.
  virtual Result<void> prepare(base::Progress& progress) = 0;
  // The pause begins: the engine's clients wait from now on, for at most this time by the engine's own clock.
  virtual Result<void> hold(std::chrono::milliseconds at_most) {
    (void)at_most;
    return {};
  }
  // Within the pause. Opens the view, takes what cannot wait. Ends before `deadline` (Clock::since_boot) or fails.
  virtual Result<Consistency> open(Writers writers, std::chrono::nanoseconds deadline) = 0;
  // The pause ends: clients need not wait any more. Also after an error; idempotent.
  virtual void release() {}
  // Everything runs. The part's files, as they were at the moment.
  virtual Result<void> stream(PartSink& out, base::Progress& progress) = 0;
};

// What a part holds, for the report of a restore: "files" 12, "bytes" 4096; "keys", "rows", "refs", "tables", ...
struct Count {
  std::string what;
  std::uint64_t number = 0;
  bool operator==(const Count&) const = default;
};

enum class InTheWay : bool { kStops, kIsReplaced };  // data where a part is to go
enum class Trust : bool { kStranger, kOwn };         // who signed the bundle: this instance, or somebody else

struct RestoreRequest {
  std::string id;  // of this restore: 16 hexadecimal digits; what is staged is named after it
  InTheWay data = InTheWay::kStops;
  Trust signer = Trust::kStranger;
  bool of_context = false;  // of one context: what leaves it is a stop and not a warning
  std::uint64_t bytes = 0;  // of the section
  std::string engine;       // what wrote the part
  // Where `previous` is kept of a kind that cannot keep it beside the live state without a price; made when it is
  // wanted, gone with discard(). Of this part alone.
  std::string keep_directory = {};
};

// Something staged that a command may look into and change.
struct StagedThing {
  std::string name;   // where the part is many: "team/site.git", "crm.db"; "" where it is one
  std::string where;  // an absolute path
};

// A part on its way from a bundle to its place. Staged state stands beside the live one and is named after the
// restore's id, so that a RestorePart made anew after a crash, of the same place and id, finds it. Every call but
// stage() can be repeated, at any time, whatever was done before it or half done.
//
//   inspect, stage, check, [swap [swap_back | retire [swap_back]]], discard
//
// After swap() what was live before is what is staged: it is `previous`; swap_back() exchanges them again, discard()
// removes whatever is not live. Where there was nothing before, swap() leaves nothing staged and swap_back() takes the
// live state back to where it was staged.
class RestorePart {
 public:
  virtual ~RestorePart() = default;
  // What speaks against it, before any write: data in the way, the engine against the bundle's, room.
  virtual Result<void> inspect(std::vector<Finding>& findings) = 0;
  // Writes the part beside the live one, durably, and gives the mark by which both sides are told apart from now on:
  // a line of text, which the caller keeps and gives back. What a former try of the same id left is removed first.
  // Code kVerification where the files are not what their format says, kStop where they do what no restore may.
  virtual Result<std::string> stage(PartSource& files, base::Progress& progress) = 0;
  // Between stage() and check(): what is staged, for commands that change it in place; nothing where the part is empty,
  // or `mark` is. Cause kNotImplemented of a kind that cannot be changed so.
  virtual Result<std::vector<StagedThing>> staged_at(std::string_view mark) {
    (void)mark;
    return fail(ErrorCode::kUsage, Cause::kNotImplemented,
                "what is staged of this kind cannot be changed by a command");
  }
  // The same of what is staged within an engine: its URL, for a client of that engine. "" where `mark` is empty;
  // nothing of a kind that has no such thing. What a client does there holds from the next check() on.
  virtual Result<std::optional<SecretBytes>> staged_url(std::string_view mark) {
    (void)mark;
    return std::nullopt;
  }
  // The staged state, by what its kind can check of itself.
  virtual Result<std::vector<Count>> check(std::string_view mark, base::Progress& progress) = 0;
  // No process of the service runs, but for the engine of a database. The mark tells on which side what is: done once
  // or twice is the same.
  virtual Result<void> swap(std::string_view mark) = 0;
  // Nothing where what was staged has been discarded: a crash may come after that.
  virtual Result<void> swap_back(std::string_view mark) = 0;
  // After the commit: marks within data are gone, and `previous` is where it costs least. Then has_other(), swap_back()
  // and discard() go on with that; swap() does nothing any more.
  virtual Result<void> retire(std::string_view mark) {
    (void)mark;
    return {};
  }
  // What is live.
  virtual Result<std::vector<Count>> count_live() = 0;
  // Whether something is staged (or, after a swap, previous).
  virtual Result<bool> has_other(std::string_view mark) = 0;
  // No error where nothing is there. `mark` may be empty: the crash came before it was known.
  virtual Result<void> discard(std::string_view mark) = 0;
};

// What must run, and what not, for swap() and swap_back().
enum class SwapWith : std::uint8_t {
  kEngines,   // within an engine: that runs
  kCommands,  // by a command of the service: that is down, and engines run, for it may ask them
  kNobody,    // in files: nobody holds one, an engine neither
};
constexpr SwapWith swap_with(bundle::SurfaceKind kind) {
  using enum bundle::SurfaceKind;
  if (kind == kPostgres || kind == kMariadb || kind == kRedis) return SwapWith::kEngines;
  return kind == kCommand ? SwapWith::kCommands : SwapWith::kNobody;
}

}  // namespace spl::surface
