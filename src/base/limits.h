// Every limit that more than one layer knows. A limit of one layer stands in that layer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spl::base {

inline constexpr std::size_t kRecordBytesMax = 16u << 20;    // records.md: a record's text
inline constexpr int kJsonDepthMax = 128;                    // records.md: the outermost object is level 1
inline constexpr std::size_t kThreadBytesMax = 256;          // records.md: a thread id
inline constexpr std::size_t kManifestBytesMax = 64u << 20;  // bundle.md: manifest.json
inline constexpr std::size_t kPathBytesMax = 4096;           // bundle.md: a path in a bundle
inline constexpr std::size_t kNameBytesMax = 255;            // bundle.md: a component of a path

}  // namespace spl::base
