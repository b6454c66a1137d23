// Whether records lie under the directory of their own thread. Pure; one thread an object.
#pragma once

#include <string>
#include <string_view>

namespace spl::record {

// Remembers the thread that was asked about last: the records of a thread stand together, in a store and in a bundle.
class OwnThread {
 public:
  // Whether `directory` is thread_directory() of the thread that a record's canonical form names. What is no record
  // lies nowhere.
  [[nodiscard]] bool lies_in(std::string_view canonical, std::string_view directory);

 private:
  std::string last_member_;  // ,"thread":"..."} as it ends the canonical form
  std::string directory_;
};

}  // namespace spl::record
