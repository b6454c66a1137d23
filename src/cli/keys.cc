#include "cli/keys.h"

#include <algorithm>
#include <cstring>

#include "cli/session.h"
#include "env/streams.h"

namespace spl::cli {
namespace {

constexpr std::size_t kPassphraseFileBytesMax = 64u << 10;

// Text that is wiped when it has been used.
struct SecretText {
  std::string text;
  SecretText() = default;
  SecretText(SecretText&& other) = delete;
  ~SecretText() { explicit_bzero(text.data(), text.size()); }
};

// It can be read once.
Result<void> check_standard_input(const Arguments& arguments) {
  std::ptrdiff_t readers = 0;
  for (const char* name : {"FILE", "A", "B", "--age-identity", "--passphrase-file"})
    readers += std::ranges::count(arguments.all(name), "-");
  if (readers > 1)
    return fail(ErrorCode::kUsage, "standard input is named " + std::to_string(readers) + " times",
                "bundle, keys and passphrase: one of them can come from there");
  return {};
}

}  // namespace

std::vector<Option> key_options() {
  return {{.name = "--age-identity",
           .value = "FILE",
           .help = "secret keys, as age-keygen writes them, that may open an encrypted bundle",
           .times = Times::kAny,
           .names = Names::kFile},
          {.name = "--passphrase-file",
           .value = "FILE",
           .help = "a file whose first line is the passphrase; - is standard input",
           .names = Names::kFile}};
}

Result<std::optional<SecretBytes>> read_passphrase(const Arguments& arguments) {
  const auto path = arguments.value("--passphrase-file");
  if (!path) return std::nullopt;
  SecretText content;
  content.text = TRY_IN("--passphrase-file", env::read_input(*path, kPassphraseFileBytesMax));
  std::string_view line = std::string_view(content.text).substr(0, content.text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty())
    return fail(ErrorCode::kUsage, "--passphrase-file " + shown(*path) + ": the first line is empty",
                "write the passphrase into the first line");
  return std::optional(SecretBytes(line));
}

Result<Keys> read_keys(const Arguments& arguments) {
  TRY(check_standard_input(arguments));
  Keys keys;
  for (const std::string& path : arguments.all("--age-identity")) {
    SecretText content;
    content.text = TRY_IN("--age-identity", env::read_input(path, crypto::kAgeIdentityFileBytesMax));
    for (crypto::AgeIdentity& identity :
         TRY_IN("--age-identity " + shown(path), crypto::parse_identity_file(content.text)))
      keys.identities.push_back(std::move(identity));
  }
  keys.passphrase = TRY(read_passphrase(arguments));
  return keys;
}

}  // namespace spl::cli
