// A service goes: it is stopped, and the home declares it no more. Its data stays where it is, or goes with it. On an
// instance that is open in this process; who calls holds the home's lock.
#pragma once

#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "instance/instance.h"

namespace spl::operation {

struct RemoveRequest {
  std::string service;
  bool delete_data = false;  // {data} and its secrets, too

  static constexpr auto shape() {
    return codec::shape(codec::member("service", &RemoveRequest::service, "the service"),
                        codec::member("delete_data", &RemoveRequest::delete_data, "its data and secrets go with it"));
  }
};
struct RemovedService {
  std::string service;
  bool data_deleted = false;
  std::string data;  // where what is left of it lies; "": nothing is

  static constexpr auto shape() {
    using R = RemovedService;
    return codec::shape(codec::member("service", &R::service, "the service"),
                        codec::member("data_deleted", &R::data_deleted, "whether its data went with it"),
                        codec::path_member("data", &R::data, "where its data lies still", codec::Presence::kOmitted));
  }
};

// Code kRefused where others come after it or keep their data in it, where a restore has kept its state before, or
// where data is to go that does not lie below {data}: nothing is changed then.
Result<RemovedService> remove_service(instance::Instance& instance, const RemoveRequest& request,
                                      base::Progress& progress);

}  // namespace spl::operation
