// The registry of adapters (docs/formats/adapters.md): programs and services that act for an instance. They are carried
// and listed; nothing here runs one. Records on th_adapters. Follows a StoreReader's rules for threads: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/enum_names.h"
#include "codec/shape.h"
#include "store/record_store.h"

namespace spl::substrate {

enum class AdapterFamily : std::uint8_t { kCli, kProxy };
constexpr auto names_of(AdapterFamily) {
  return std::array{std::pair{AdapterFamily::kCli, "cli"}, std::pair{AdapterFamily::kProxy, "proxy"}};
}

struct Adapter {
  std::string did;
  AdapterFamily family = AdapterFamily::kCli;
  std::vector<std::string> command;             // of the family cli
  std::string url;                              // of the family proxy
  std::optional<std::uint64_t> timeout_s;       // of one call
  std::optional<std::uint64_t> max_concurrent;  // calls

  static constexpr auto shape() {
    using A = Adapter;
    using enum codec::Presence;
    return codec::shape(codec::member("did", &A::did, "whom it acts as"),
                        codec::member("family", &A::family, "cli: a command; proxy: a URL"),
                        codec::member("command", &A::command, "what is run, and its arguments", kOmitted),
                        codec::member("url", &A::url, "what is asked", kOmitted),
                        codec::member("timeout_s", &A::timeout_s, "how long a call may take, in seconds", kOmitted),
                        codec::member("max_concurrent", &A::max_concurrent, "how many at once", kOmitted));
  }
};

// Code kUsage where it is none.
Result<void> check_adapter(const Adapter& adapter);
// The bodies of the records.
std::string adapter_body(const Adapter& adapter);
std::string removed_adapter_body(const std::string& did);

// Of effective records; the last of a DID wins. By DID.
Result<std::vector<Adapter>> adapters(store::StoreReader& reader, const std::optional<std::string>& did);

}  // namespace spl::substrate
