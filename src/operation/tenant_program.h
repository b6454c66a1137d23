// What a tenant's home is asked, and by whom: by this same program, which works on the home as its owner does (D-10),
// or asks its daemon. So what is in the home is never read with the machine's own rights. One thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "codec/json.h"
#include "env/env.h"

namespace spl::operation {

struct TenantCall {
  std::string home;
  std::vector<std::string> words;  // those after "spl --home HOME"; -o json is added
  std::string_view input = {};     // its standard input
  std::string group = {};          // the file by which it begins in a control group; "": in none
  std::chrono::milliseconds at_most{std::chrono::minutes(2)};
};

// What it prints. Its error where it fails, with its code and cause; kUnavailable where it cannot be run.
Result<codec::Json> ask_tenant(env::Env env, const TenantCall& call, base::Progress& progress);

// A member of such an answer that is a text; "" where it is none.
std::string text_in(const codec::Json& answer, std::string_view name);

}  // namespace spl::operation
