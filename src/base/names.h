// Names that go into paths, handles and addresses. Pure; any thread.
#pragma once

#include <string_view>

namespace spl::base {

// Of services, surfaces, contexts and accounts: [a-z0-9][a-z0-9_-]{0,62}.
bool is_name(std::string_view text);

}  // namespace spl::base
