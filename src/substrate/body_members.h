// Members of the bodies of records, which anybody may have written: what is of another type than it should be is as if
// it were not there. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "record/record.h"

namespace spl::substrate {

// The members of a record's body. Of one that would make a very large tree, those that are large are as if they were
// not there.
codec::Json body_of(const Record& record);

// "" where it is absent, no string, or longer than 64 KiB.
std::string text_in(const codec::Json& body, std::string_view name);
// Nothing where it is absent, no list, or has an element that is no string.
std::optional<std::vector<std::string>> texts_in(const codec::Json& body, std::string_view name);
// A string, or the strings of a list: what else is in a list is passed over.
std::vector<std::string> one_or_more_in(const codec::Json& body, std::string_view name);

}  // namespace spl::substrate
