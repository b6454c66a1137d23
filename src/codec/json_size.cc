#include "codec/json_size.h"

namespace spl::codec {

bool has_few_values(std::string_view json, std::size_t values_max) {
  std::size_t values = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') {
      in_string = !in_string;
    } else if (in_string) {
      if (c == '\\') ++i;
    } else if (c == ',' || c == '[' || c == '{') {
      ++values;
    }
  }
  return values <= values_max;
}

}  // namespace spl::codec
