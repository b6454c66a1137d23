// `spl context rename`: a context under another name in every surface that is split by it, in its secrets and in
// contexts.toml, all or nothing. Every step is in a journal before it is taken; contexts.toml is the commit line: with
// the old name in it a crash is undone by the next start, with the new one it is finished
// (docs/formats/restore-journal.md, "A context that is renamed"). One thread; who calls holds the home's lock.
#pragma once

#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "home/home.h"
#include "instance/instance.h"
#include "operation/service_operations.h"

namespace spl::operation {

// Code kRefused, and nothing was changed, where something is in the way: the name is taken, files stand where its own
// are to go, a restore of it keeps what it replaced, a process that is no service's holds its files. Cause
// kNotImplemented where a surface of another kind than files, git, sqlite and redis is split by context. Engines are
// started where they are down; code kUnavailable where one does not answer.
Result<ContextEntry> rename_context(instance::Instance& instance, const RenamedContext& request,
                                    base::Progress& progress);

// What a crash left of one is undone or finished. No error where there is none.
Result<void> recover_rename(env::Env env, const home::HomePaths& paths, const home::Config& config,
                            store::RecordStore& store, base::Progress& progress);

// The journal's file.
std::string rename_journal_of(const home::HomePaths& paths);

}  // namespace spl::operation
