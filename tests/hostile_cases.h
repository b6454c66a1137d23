// Bundles that break one rule each and are otherwise correctly signed, as an attacker with a key would make them.
#pragma once

#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "testing/bundle_forge.h"

namespace spl::testing {

struct Hostile {
  const char* name;
  // Breaks the rule. Gives the entry that a reader must name; "" where the message is `rule` alone.
  std::function<std::string(BundleForge&)> forge;
  std::string rule;
};

inline void PrintTo(const Hostile& hostile, std::ostream* out) {
  *out << hostile.name;
}

// All that a reader says: "bundle malformed: <entry>: <rule>".
std::string hostile_message(std::string_view entry, std::string_view rule);

// A signature of the manifest's text by the key of a forge as it was made, whose point R is of order 1: the equation
// holds, and OpenSSL takes it.
std::string small_order_signature(const BundleForge& forge, std::string_view text);

// Signature, signer, identity, tokens.
std::span<const Hostile> hostile_signers();
std::span<const Hostile> hostile_manifests();
// What services, surfaces, contexts and their parts are.
std::span<const Hostile> hostile_services();
// A part of the kind files: tree.mtree, attributes and entries.
std::span<const Hostile> hostile_trees();
// A tree that keeps to every rule, for a bundle of the service a.
void add_sound_tree(BundleForge& forge);
// Which entries there are, in which order, under which paths.
std::span<const Hostile> hostile_entries();
std::span<const Hostile> hostile_headers();
std::span<const Hostile> hostile_records();
// All of them.
std::span<const Hostile> hostile_bundles();

}  // namespace spl::testing
