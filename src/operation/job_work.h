// What the jobs of a daemon do (job/job_queue.h): the operations that take their time, asked for with one JSON document
// each. Any thread; one job at a time.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "base/result.h"
#include "codec/json.h"
#include "crypto/age.h"
#include "instance/instance.h"
#include "job/job.h"
#include "operation/import_options.h"
#include "operation/uploads.h"

namespace spl::operation {

inline constexpr std::size_t kPreflightsKeptMax = 16;  // that a restore may be asked for by; the oldest go

// Of {"kind":..., ...}; what is secret in it is taken out of what is kept. Code kUsage.
Result<job::JobRequest> parse_job_request(const codec::Json& asked);
// Whether who asks for it in a browser gives the password again: what is gone afterwards is gone.
bool wants_proof(job::JobKind kind);

class JobWork {
 public:
  JobWork(instance::Instance& instance, Uploads& uploads) : instance_(instance), uploads_(uploads) {}
  // Its result. Cause kPlanChanged where a restore would not do what its pre-flight has said.
  Result<codec::Json> run(const std::string& id, const job::JobRequest& request, base::Progress& progress);
  // Whether a restore by this pre-flight can be asked for: cause kNotFound, kPlanChanged.
  Result<void> check_restore(const codec::Json& asked);
  // What people know it by: of an upload, and of a restore from one, the file's name.
  Result<std::string> shown_subject(const job::JobRequest& request);

 private:
  // A pre-flight that a restore may follow: with its keys, in memory alone.
  struct Kept {
    std::string id;
    std::string path;
    std::string upload;  // "": a backup
    std::string name;    // for people
    codec::Json options;
    std::optional<SecretBytes> passphrase;
    std::vector<crypto::AgeIdentity> identities;
    std::string plan_sha256;
  };
  Result<codec::Json> install(const job::JobRequest& request, base::Progress& progress);
  Result<codec::Json> command(const job::JobRequest& request, base::Progress& progress);
  Result<codec::Json> remove(const job::JobRequest& request, base::Progress& progress);
  Result<codec::Json> follow_previous(const job::JobRequest& request, base::Progress& progress);
  Result<codec::Json> change_context(const job::JobRequest& request, base::Progress& progress);
  Result<codec::Json> back_up(const std::string& id, const job::JobRequest& request, base::Progress& progress);
  Result<codec::Json> look_before(const std::string& id, const job::JobRequest& request, base::Progress& progress);
  Result<codec::Json> restore(const job::JobRequest& request, base::Progress& progress);
  // What the panel asks before a restore besides its findings: the bundle, secrets that are missing, room.
  Result<void> add_bundle(const Kept& kept, const std::vector<Finding>& findings, codec::Json& result);
  Result<codec::Json> restored_json(const ImportReport& report);
  Result<ImportReport> import(const Kept& kept, bool dry_run, std::vector<Finding>& findings, base::Progress& progress);
  Result<std::shared_ptr<const Kept>> kept(const std::string& id);

  instance::Instance& instance_;
  Uploads& uploads_;
  std::mutex mutex_;  // guards kept_
  std::deque<std::shared_ptr<const Kept>> kept_;
};

}  // namespace spl::operation
