// Work that a daemon does while nobody has to wait for it: what was asked for, how it ended. Values; any thread.
// docs/formats/door.md, "Jobs"
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/json.h"
#include "codec/shape.h"

namespace spl::job {

enum class JobKind : std::uint8_t {
  kInstall,
  kBackup,
  kPreflight,
  kRestore,
  kStart,
  kStop,
  kRemove,
  kSwapPrevious,
  kDiscardPrevious,
  kContextRename,
  kContextRemove
};
constexpr auto names_of(JobKind /*type*/) {
  using enum JobKind;
  return std::to_array<std::pair<JobKind, std::string_view>>({{kInstall, "install"},
                                                              {kBackup, "backup"},
                                                              {kPreflight, "preflight"},
                                                              {kRestore, "restore"},
                                                              {kStart, "start"},
                                                              {kStop, "stop"},
                                                              {kRemove, "remove"},
                                                              {kSwapPrevious, "swap_previous"},
                                                              {kDiscardPrevious, "discard_previous"},
                                                              {kContextRename, "context_rename"},
                                                              {kContextRemove, "context_remove"}});
}

enum class JobState : std::uint8_t { kWaiting, kRunning, kDone, kFailed, kCancelled, kInterrupted };
constexpr auto names_of(JobState /*type*/) {
  using enum JobState;
  return std::to_array<std::pair<JobState, std::string_view>>({{kWaiting, "waiting"},
                                                               {kRunning, "running"},
                                                               {kDone, "done"},
                                                               {kFailed, "failed"},
                                                               {kCancelled, "cancelled"},
                                                               {kInterrupted, "interrupted"}});
}
constexpr bool has_ended(JobState state) {
  return state != JobState::kWaiting && state != JobState::kRunning;
}

// What somebody asks for. Secrets are apart: they are in memory alone.
struct JobRequest {
  JobKind kind = JobKind::kBackup;
  std::string subject;                         // what it works on, for people
  codec::Json said;                            // what was asked for, without secrets
  std::string who = {};                        // asked for it: activity.h
  std::map<std::string, SecretBytes> secrets;  // by handle: of an install
  std::optional<SecretBytes> passphrase;       // that opens a bundle
  std::optional<SecretBytes> identity;         // a file of age's
};

struct Job {
  std::string id;
  JobKind kind = JobKind::kBackup;
  JobState state = JobState::kWaiting;
  std::string subject;
  codec::Json request;
  std::string created_at;
  std::optional<std::string> started_at;
  std::optional<std::string> ended_at;
  std::optional<codec::Json> result = {};
  std::optional<codec::Json> error = {};

  static constexpr auto shape() {
    using J = Job;
    return codec::shape(
        codec::member("id", &J::id, "the job"), codec::member("kind", &J::kind, "what it does"),
        codec::member("state", &J::state, "how far it is"), codec::member("subject", &J::subject, "what it works on"),
        codec::member("request", &J::request, "what was asked for, without secrets"),
        codec::member("created_at", &J::created_at, "when it was asked for"),
        codec::member("started_at", &J::started_at, "when it began"),
        codec::member("ended_at", &J::ended_at, "when it ended"), codec::member("result", &J::result, "what it gave"),
        codec::member("error", &J::error, "why it failed"));
  }
};

// {"object","code","message","hint"}, as HTTP has errors.
codec::Json error_of_job(const Error& error);

}  // namespace spl::job
