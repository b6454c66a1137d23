// Which files and directories bear a context's name, and where they go when it gets another one. Names change within
// their directories alone: `{data}/{context}/pages` moves the directory {data}/geo, with all that is in it. Internal to
// context_rename. Pure but for looking; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "env/env.h"
#include "service/service_set.h"

namespace spl::operation {

// A rename, to be made if `from` is there. What a former one has moved is named as it is then.
struct ContextMove {
  std::string from;
  std::string to;
  std::string service;
  std::optional<std::uint64_t> inode = {};  // of what is to be moved; none where nothing is there

  static constexpr auto shape() {
    return codec::shape(codec::path_member("from", &ContextMove::from, "the name before"),
                        codec::path_member("to", &ContextMove::to, "the name after, in the same directory"),
                        codec::member("service", &ContextMove::service, "whose it is"),
                        codec::member("inode", &ContextMove::inode, "of what is moved", codec::Presence::kOmitted));
  }
  bool operator==(const ContextMove&) const = default;
};

// In the order in which they are to be made. Code kRefused where one cannot be: something is at its `to`, it is a mount
// point, or it holds what is not the context's.
Result<std::vector<ContextMove>> moves_of_context(env::Env env, const service::ServiceSet& set,
                                                  const service::Context& context, const std::string& new_name);

}  // namespace spl::operation
