// Files that are no bundle, and that nothing has happened to: told as what they are. Pure.
#pragma once

#include <string_view>

#include "base/result.h"

namespace spl::bundle {

inline constexpr std::size_t kBeginningBytes = 512;  // that are enough to tell

// Code kVerification and cause kNotABundle where a file that begins so, after what it may be encrypted and compressed
// with, is none; `first` is kBeginningBytes octets, or all there are. A tar of whatever, or what may be the beginning
// of a bundle that was cut short, is for the reader to judge.
Result<void> check_beginning(std::string_view first);
// What to do about a file that is something else.
inline constexpr std::string_view kNotABundleHint = "name the file that spl export or spl service backup wrote";

}  // namespace spl::bundle
