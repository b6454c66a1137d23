#include "service/engines.h"

#include <algorithm>
#include <set>
#include <string>

#include "env/peer.h"
#include "env/process.h"
#include "service/processes.h"
#include "service/program.h"

namespace spl::service {
namespace {

constexpr std::chrono::milliseconds kAnswerAtMost{1000};

// Where databases are reached of which no declaration says who serves them.
std::set<std::string> open_addresses(const ServiceSet& set, const SecretLookup& secrets) {
  std::set<std::string> addresses;
  for (const Declaration& service : set.services()) {
    for (const SurfaceDeclaration& surface : service.surfaces) {
      if (!is_database(surface.kind) || set.engine_of(service, surface) != nullptr) continue;
      const auto url = expand_secret(surface.url, set.values(service, nullptr), secrets);
      std::string address = url ? address_of_url(surface.kind, url->reveal()) : "";
      if (!address.empty()) addresses.insert(std::move(address));
    }
  }
  return addresses;
}

}  // namespace

Result<std::vector<const Declaration*>> engines_of(const ServiceSet& set, const SecretLookup& secrets) {
  std::set<const Declaration*> engines;
  std::vector<const Declaration*> others;
  for (const Declaration& service : set.services()) {
    if (set.is_engine(service)) {
      engines.insert(&service);
    } else if (service.run) {
      others.push_back(&service);
    }
  }
  const env::ManyDescriptors many;  // a handle for each process
  std::set<int> peers;
  if (!others.empty()) {
    for (const std::string& address : open_addresses(set, secrets)) {
      for (const int peer : TRY(env::peers_of(address, kAnswerAtMost))) peers.insert(peer);
    }
  }
  if (!peers.empty()) {
    std::vector<ProcessSource> sources;
    for (const Declaration* service : others) sources.push_back(TRY(processes_source_of(set, *service)));
    for (const ServiceProcess& process : TRY(processes_of(sources))) {
      if (!peers.contains(process.pid)) continue;
      const auto found = std::ranges::find(sources, process.mark, &ProcessSource::mark);
      if (found != sources.end()) engines.insert(others[static_cast<std::size_t>(found - sources.begin())]);
    }
  }
  std::vector<const Declaration*> ordered;
  for (const Declaration& service : set.services()) {
    if (engines.contains(&service)) ordered.push_back(&service);
  }
  return ordered;
}

Result<std::vector<surface::Place>> other_places(const ServiceSet& set, const SurfaceDeclaration& surface,
                                                 const SecretLookup& secrets) {
  std::vector<surface::Place> places;
  for (const Declaration& service : set.services()) {
    for (const SurfaceDeclaration& other : service.surfaces) {
      if (&other == &surface || other.kind != surface.kind) continue;
      for (const PartName& part : set.parts_of(service, other, nullptr))
        places.push_back(TRY(set.place_of(part, secrets)));
    }
  }
  return places;
}

}  // namespace spl::service
