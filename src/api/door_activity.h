// What happens at the owner's door, noted for its owner (job/activity.h). On the connection's thread.
#pragma once

#include <string>
#include <string_view>

#include "api/routes.h"
#include "base/result.h"
#include "door/door.h"

namespace spl::api {

// Who came in, or tried to. What strangers try takes little room, and their words none.
void note_entry(Call& call, std::string_view action, const Result<door::NewSession>& made);
// Who is in has changed something.
void note_change(Call& call, std::string_view action, const std::string& subject = {});

}  // namespace spl::api
