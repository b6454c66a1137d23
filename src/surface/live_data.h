// What a part holds that lies in an engine, looked at, removed or given another name without any bundle: for contexts
// that go, or get another name. A kind that can do it has one class in its folder. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "surface/part.h"

namespace spl::surface {

enum class TakenName : bool { kStops, kStaysBehind };  // what bears a name that is taken at the target

class LiveData {
 public:
  virtual ~LiveData() = default;
  virtual Result<bool> is_there() = 0;
  // Durable when it returns; what is not there is no error.
  virtual Result<void> remove() = 0;
  // All of it becomes what is at `to`, a place of the same surface, and nothing there is overwritten. An error may
  // leave a part of it moved: done again it moves the rest, and from `to` back it moves all. Durable when it returns.
  // Gives how much stays behind; where that is not wanted, cause kFileExists.
  virtual Result<std::uint64_t> move_to(const Place& to, TakenName taken, base::Progress& progress) = 0;
};

// `others` are parts of other surfaces of the kind: what is theirs is left alone. Code kUnavailable where the engine
// does not answer; kRefused, cause kNotImplemented, of a kind that cannot.
Result<std::unique_ptr<LiveData>> live_data(env::Env machine, const Place& place, const std::vector<Place>& others);

}  // namespace spl::surface
