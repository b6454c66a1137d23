#include "bundle/digest.h"

#include "base/encoding.h"

namespace spl::bundle {

void append_digest_line(std::string& out, const Digest& sha256, std::string_view path) {
  // Not find_first_of, which looks at each octet alone.
  constexpr auto kNone = std::string_view::npos;
  const bool escapes = path.find('\\') != kNone || path.find('\n') != kNone || path.find('\r') != kNone;
  if (escapes) out.push_back('\\');
  base::append_hex(out, sha256.view());
  out += "  ";
  if (!escapes) {
    out += path;
  } else {
    for (const char c : path) {
      switch (c) {
        case '\\':
          out += "\\\\";
          break;
        case '\n':
          out += "\\n";
          break;
        case '\r':
          out += "\\r";
          break;
        default:
          out.push_back(c);
      }
    }
  }
  out.push_back('\n');
}

}  // namespace spl::bundle
