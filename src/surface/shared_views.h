// What several parts of one moment have in common: one view of an engine, where each of its own would be of another
// moment. Made by the first part that asks, gone with the last one. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace spl::surface {

class SharedViews {
 public:
  // The view of this name; `make` gives one where there is none. A name means one type.
  template <class View, class Make>
  std::shared_ptr<View> get(const std::string& name, Make make) {
    const std::scoped_lock lock(mutex_);
    std::shared_ptr<void> view = views_[name].lock();
    if (!view) {
      view = make();
      views_[name] = view;
    }
    return std::static_pointer_cast<View>(view);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<void>> views_;
};

}  // namespace spl::surface
