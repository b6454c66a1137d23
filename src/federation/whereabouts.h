// Where this instance is, and how it says so: its manifest, and the announcement that it gives to its peers. Any
// thread, on an open instance.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "federation/documents.h"
#include "instance/instance.h"

namespace spl::federation {

inline constexpr std::string_view kPairPath = "/v1/federation/pair";
inline constexpr std::string_view kAnnouncePath = "/v1/federation/announce";
inline constexpr std::string_view kRevokePath = "/v1/federation/revoke";
inline constexpr std::string_view kChangesPath = "/v1/sync/changes";
inline constexpr std::string_view kDirectoryPath = "/v1/directory/";
inline constexpr std::string_view kWellKnownPath = "/.well-known/syncropel";

// config.toml's base_url; else where a daemon has served last. Empty where it has not.
Result<std::string> own_base_url(instance::Instance& instance);
// For a daemon, once it listens.
Result<void> note_base_url(instance::Instance& instance, const std::string& base_url);

// The signed text, with `more` members; nothing where there is no identity or no address.
Result<std::optional<std::string>> own_manifest(instance::Instance& instance, codec::Json::Object more);
// A new one at each call, newer than those before. Nothing where there is no identity or no address, and nothing from
// an instance that has moved: it is not here.
Result<std::optional<std::string>> own_announcement(instance::Instance& instance);
// For everybody who asks: the last one that was made, as long as it holds; it writes nothing then. Of an instance that
// has moved the one that it has heard of since.
Result<std::optional<std::string>> latest_announcement(instance::Instance& instance);

// A peer knows of a newer announcement of this instance than the one that it was given: one made before a move, by a
// clock that was ahead. True where the next one will be newer than that; an announcement of somebody else's changes
// nothing.
Result<bool> note_known(instance::Instance& instance, const std::string& text);

}  // namespace spl::federation
