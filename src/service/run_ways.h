// What runs a service that is no program of spl's own: the unit or container of its declaration, asked for as it is
// now. Any thread.
#pragma once

#include "base/result.h"
#include "service/container_tool.h"
#include "service/processes.h"
#include "service/service_set.h"
#include "service/systemd.h"

namespace spl::service {

// A unit that systemd knows, and how it is.
struct FoundUnit {
  Systemd systemd;
  UnitState state;
};
// Code kUnavailable where systemd or the unit is not there; kRefused where this process is root's and the home another
// user's: who may write its declarations gets none of root's units by them.
Result<FoundUnit> find_unit(const ServiceSet& set, const Declaration& service);

struct FoundContainer {
  Container container;
  ContainerState state;
};
// The same of a container.
Result<FoundContainer> find_container(const ServiceSet& set, const Declaration& service);

// By what the processes of them are found, as they were when they were asked for. Code kUnavailable where the group of
// the unit, or the processes of the container, cannot be seen from here.
Result<ProcessSource> source_of(const ServiceSet& set, const Declaration& service, const FoundUnit& unit);
Result<ProcessSource> source_of(const ServiceSet& set, const Declaration& service, const FoundContainer& found);

// That its unit or container is there, before it is counted on. A service that has none is always well.
Result<void> check_found(const ServiceSet& set, const Declaration& service);

}  // namespace spl::service
