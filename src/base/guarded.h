// What a library throws as an Error, for work whose failure others wait for. Allocates nothing where memory is lacking.
// Any thread.
#pragma once

#include <exception>
#include <new>
#include <utility>

#include "base/result.h"

namespace spl::base {

// The text is short enough to lie in the string itself.
[[nodiscard]] inline Error out_of_memory() noexcept {
  return Error{ErrorCode::kFailed, "out of memory", {}, Cause::kNoMemory};
}

// `error` again, or that there is no memory for its texts.
[[nodiscard]] inline Error copy_of(const Error& error) noexcept {
  try {
    return error;
  } catch (const std::bad_alloc&) {
    Error lacking = out_of_memory();
    lacking.code = error.code;
    lacking.cause = error.cause;
    return lacking;
  }
}

// `error` with a hint, where there is memory for one.
[[nodiscard]] inline Error with_hint(Error error, std::string_view hint) noexcept {
  try {
    error.hint = hint;
  } catch (const std::bad_alloc&) {
    error.hint.clear();
  }
  return error;
}

// The outcome of `work`; an exception is an error of code kFailed that says `what`, and why.
template <class Work>
auto guarded(std::string_view what, const Work& work) noexcept -> decltype(work()) {
  try {
    try {
      return work();
    } catch (const std::bad_alloc&) {
      return std::unexpected(out_of_memory());
    } catch (const std::exception& error) {
      return fail(std::string(what) + ": " + error.what());
    }
  } catch (const std::bad_alloc&) {
    return std::unexpected(out_of_memory());
  }
}

}  // namespace spl::base
