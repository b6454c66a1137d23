#include "base/encoding.h"

#include <array>
#include <cstdint>

#include "base/secrets.h"
#include "base/utf8.h"

namespace spl::base {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> kHexValues = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 16; ++i) values[static_cast<unsigned char>(kHexDigits[i])] = static_cast<std::int8_t>(i);
  return values;
}();

constexpr std::array<std::int8_t, 256> kBase64Values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 64; ++i) values[static_cast<unsigned char>(kBase64[i])] = static_cast<std::int8_t>(i);
  return values;
}();

bool decode_hex(std::string_view text, std::uint8_t* out) {
  int bad = 0;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = kHexValues[static_cast<unsigned char>(text[i])];
    const int low = kHexValues[static_cast<unsigned char>(text[i + 1])];
    bad |= high | low;
    out[i / 2] = static_cast<std::uint8_t>((high << 4) | low);
  }
  return bad >= 0;
}

}  // namespace

void append_hex(std::string& out, std::string_view octets) {
  const std::size_t at = out.size();
  out.resize(at + 2 * octets.size());
  char* p = out.data() + at;
  for (const char c : octets) {
    *p++ = kHexDigits[static_cast<unsigned char>(c) >> 4];
    *p++ = kHexDigits[static_cast<unsigned char>(c) & 15];
  }
}

std::string to_hex(std::string_view octets) {
  std::string out;
  append_hex(out, octets);
  return out;
}

bool parse_hex_digest(std::string_view text, Digest& out) {
  return text.size() == 2 * out.octets.size() && decode_hex(text, out.octets.data());
}

Result<std::string> from_hex(std::string_view text) {
  std::string out(text.size() / 2, '\0');
  if (text.size() % 2 != 0 || !decode_hex(text, reinterpret_cast<std::uint8_t*>(out.data())))
    return fail("not lowercase hexadecimal");
  return out;
}

std::string to_base64(std::string_view octets, Padding padding) {
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t n = std::min<std::size_t>(3, octets.size() - i);
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < n ? static_cast<unsigned char>(octets[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) {
      if (k <= n) {
        out.push_back(kBase64[group >> (18 - 6 * k) & 63]);
      } else if (padding == Padding::kRequired) {
        out.push_back('=');
      }
    }
  }
  return out;
}

Result<std::string> from_base64(std::string_view text, Padding padding) {
  if (padding == Padding::kRequired) {
    if (text.size() % 4 != 0) return fail("not base64: wrong length");
    for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return fail("not base64: wrong length");
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = kBase64Values[static_cast<unsigned char>(c)];
    if (value < 0) return fail("not base64: wrong character");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>(bits >> held & 255));
    }
  }
  if ((bits & ((1u << held) - 1)) != 0) return fail("not base64: bits beyond the last octet");
  return out;
}

void append_json_string(std::string& out, std::string_view utf8) {
  out.push_back('"');
  std::size_t plain = 0;  // where the run that needs no escape began
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(utf8, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        append_hex(out, utf8.substr(i, 1));
    }
  }
  out.append(utf8, plain);
  out.push_back('"');
}

std::string escaped(std::string_view foreign, std::size_t max_bytes) {
  if (holds_secret(foreign)) return escaped(without_secrets(std::string(foreign)), max_bytes);
  const bool cut = foreign.size() > max_bytes;
  if (cut) {
    std::size_t end = max_bytes;  // not within a character
    for (int i = 0; i < 3 && end > 0 && (foreign[end] & 0xC0) == 0x80; ++i) --end;
    foreign = foreign.substr(0, end);
  }
  std::string out;
  const auto escape = [&out](char c) {
    out += "\\x";
    append_hex(out, {&c, 1});
  };
  while (!foreign.empty()) {
    std::uint32_t c = 0;
    const std::size_t length = decode_utf8(foreign, c);
    const std::size_t take = length == 0 ? 1 : length;
    const bool plain = length != 0 && c != '"' && c != '\\' && !is_unseen(c);
    if (plain) {
      out += foreign.substr(0, take);
    } else {
      for (const char octet : foreign.substr(0, take)) escape(octet);
    }
    foreign.remove_prefix(take);
  }
  if (cut) out += "...";
  return out;
}

std::string path_text(std::string_view path) {
  return is_utf8(path) ? std::string(path) : escaped(path, path.size());
}

}  // namespace spl::base
