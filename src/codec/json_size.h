// How large a tree a JSON text makes, before it is made. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace spl::codec {

// Whether the text, if it is JSON, holds at most `values_max` values: what begins one or parts two is counted, but not
// inside of strings. A tree of a million takes some 150 MiB.
bool has_few_values(std::string_view json, std::size_t values_max);

}  // namespace spl::codec
