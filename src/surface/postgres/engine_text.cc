#include "surface/postgres/engine_text.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/encoding.h"
#include "surface/postgres/dump_program.h"

namespace spl::surface {
namespace {

constexpr std::size_t kTextBytesMax = 256u << 10;
constexpr std::size_t kWordBytesMax = 255;
constexpr std::string_view kProduct = "postgresql";
constexpr std::string_view kHexDigits = "0123456789ABCDEF";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-' || c == '+' || c == '@';
}

// Any octets, as a word: those that are not plain as %XX; "%" is the empty text.
std::string word_of(std::string_view text) {
  if (text.empty()) return "%";
  std::string word;
  for (const char c : text) {
    if (is_plain(c)) {
      word += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    word += '%';
    word += kHexDigits[octet >> 4U];
    word += kHexDigits[octet & 15U];
  }
  return word;
}

std::optional<std::string> text_of(std::string_view word) {
  std::string text;
  if (word == "%") return text;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (is_plain(word[i])) {
      text += word[i];
      continue;
    }
    if (word[i] != '%' || word.size() - i < 3) return std::nullopt;
    const std::size_t high = kHexDigits.find(word[i + 1]);
    const std::size_t low = kHexDigits.find(word[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    text += static_cast<char>(high * 16 + low);
    // No name of PostgreSQL's holds it, and no argument may.
    if (text.back() == '\0') return std::nullopt;
    i += 2;
  }
  if (text.empty() || text.size() > kWordBytesMax) return std::nullopt;
  return text;
}

// The words of one text, one after the other.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool is_done() const { return rest_.empty(); }
  // The next word is this one, and is passed over.
  bool skip(std::string_view word) {
    if (!rest_.starts_with(word) || (rest_.size() > word.size() && rest_[word.size()] != ' ')) return false;
    advance(word.size());
    return true;
  }
  std::optional<std::string> take() {
    const std::size_t end = std::min(rest_.find_first_of(" ,"), rest_.size());
    auto text = text_of(rest_.substr(0, end));
    advance(end);
    return text;
  }
  bool skip_comma() {
    if (!rest_.starts_with(", ")) return false;
    rest_.remove_prefix(2);
    return true;
  }

 private:
  // A comma stands for itself; nothing else may follow but one space and another word.
  void advance(std::size_t size) {
    rest_.remove_prefix(size);
    if (rest_.size() > 1 && rest_[0] == ' ') rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

bool take_into(WordReader& words, std::string& out) {
  auto text = words.take();
  if (text) out = std::move(*text);
  return text.has_value();
}

std::optional<EngineFacts> parse_one(std::string_view text) {
  EngineFacts facts;
  WordReader words(text);
  if (!words.skip(kProduct) || !take_into(words, facts.server)) return std::nullopt;
  for (const auto& [name, value] :
       {std::pair{"program", &facts.program}, std::pair{"encoding", &facts.encoding},
        std::pair{"collate", &facts.locale.collation}, std::pair{"ctype", &facts.locale.character_type},
        std::pair{"provider", &facts.locale.provider}, std::pair{"locale", &facts.locale.name}}) {
    if (words.skip(name) && !take_into(words, *value)) return std::nullopt;
  }
  if (words.skip("extensions")) {
    do {
      ExtensionFacts extension;
      if (!take_into(words, extension.name) || !take_into(words, extension.version) ||
          !take_into(words, extension.schema))
        return std::nullopt;
      facts.extensions.push_back(std::move(extension));
    } while (words.skip_comma());
  }
  if (!words.is_done()) return std::nullopt;
  return facts;
}

// The first number of what says what the engine is, whoever wrote it.
std::string newest_of(const std::string& one, const std::string& other) {
  return major_of(other) > major_of(one) ? other : one;
}

}  // namespace

std::string LocaleFacts::shown() const {
  constexpr std::size_t kBytesShown = 70;
  std::string text = base::escaped(collation, kBytesShown);
  if (character_type != collation) text += ", " + base::escaped(character_type, kBytesShown);
  if (provider != kLibc) text += ", " + base::escaped(provider, kBytesShown) + " " + base::escaped(name, kBytesShown);
  return text;
}

std::string engine_text(const EngineFacts& facts) {
  std::string text = std::string(kProduct) + " " + word_of(facts.server) + " program " + word_of(facts.program) +
                     " encoding " + word_of(facts.encoding) + " collate " + word_of(facts.locale.collation) +
                     " ctype " + word_of(facts.locale.character_type);
  if (facts.locale.provider != LocaleFacts::kLibc)
    text += " provider " + word_of(facts.locale.provider) + " locale " + word_of(facts.locale.name);
  for (std::size_t i = 0; i < facts.extensions.size(); ++i) {
    const ExtensionFacts& extension = facts.extensions[i];
    text += (i == 0 ? " extensions " : ", ") + word_of(extension.name) + " " + word_of(extension.version) + " " +
            word_of(extension.schema);
  }
  return text;
}

EngineFacts parse_engine_text(std::string_view text) {
  EngineFacts all;
  bool is_first = true;
  bool is_known = text.size() <= kTextBytesMax;
  text = text.substr(0, kTextBytesMax);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("; "), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    auto facts = parse_one(one);
    if (!facts) {
      is_known = false;
      all.server = newest_of(all.server, std::to_string(major_of(one)));
      continue;
    }
    all.server = newest_of(all.server, facts->server);
    all.program = newest_of(all.program, facts->program);
    const auto settings = std::tie(facts->encoding, facts->locale);
    if (is_first) {
      std::tie(all.encoding, all.locale) = settings;
    } else if (settings != std::tie(all.encoding, all.locale)) {
      all.encoding.clear();
      all.locale = {};
    }
    is_first = false;
    all.extensions.insert(all.extensions.end(), facts->extensions.begin(), facts->extensions.end());
  }
  std::ranges::sort(all.extensions);
  all.extensions.erase(std::ranges::unique(all.extensions).begin(), all.extensions.end());
  if (is_known) return all;
  return EngineFacts{.server = all.server};
}

}  // namespace spl::surface
