#include "cli/record_text.h"

#include "cli/output.h"

namespace spl::cli {
namespace {

constexpr std::size_t kTextShown = 120;

}  // namespace

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string cut(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  text.resize(bytes);
  return text + "...";
}

std::string record_text(const Record& record) {
  const auto text = record::body_string(record.body(), "text");
  return one_line(cut(text ? *text : std::string(record.body()), kTextShown));
}

}  // namespace spl::cli
