#include "cli/keys.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/utf8.h"
#include "cli/session.h"
#include "env/shell_command.h"
#include "env/streams.h"
#include "env/terminal.h"

namespace spl::cli {
namespace {

constexpr std::size_t kPassphraseBytesMax = 64u << 10;
constexpr std::array kWays{"--passphrase", "--passphrase-file", "--passphrase-command"};

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
  for (const char* name : {"FILE", "--from", "A", "B", "--age-identity", "--passphrase-file"})
    readers += std::ranges::count(arguments.all(name), "-");
  if (readers > 1)
    return fail(ErrorCode::kUsage, "standard input is named " + std::to_string(readers) + " times",
                "bundle, keys and passphrase: one of them can come from there");
  return {};
}

bool has_control_character(std::string_view text) {
  while (!text.empty()) {
    std::uint32_t point = 0;
    const std::size_t length = base::decode_utf8(text, point);
    if (length == 0 || point < 0x20 || (point >= 0x7F && point < 0xA0)) return true;
    text.remove_prefix(length);
  }
  return false;
}

// Why somebody could not type it again; nothing where they could.
std::optional<std::string> why_not_typed(std::string_view line, std::string_view rest) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line.starts_with(kByteOrderMark)) return "it begins with a byte order mark";
  if (line.find('\0') != std::string_view::npos) return "it has a zero byte";
  if (!base::is_utf8(line)) return "it is not UTF-8";
  if (has_control_character(line)) return "it has a control character";
  if (rest.find_first_not_of("\r\n") != std::string_view::npos) return "there is more after its first line";
  return std::nullopt;
}

// The first line of what came from `where`.
Result<SecretBytes> first_line(std::string_view content, const std::string& where, PassphraseFor use) {
  const std::size_t end = std::min(content.find('\n'), content.size());
  std::string_view line = content.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty())
    return fail(ErrorCode::kUsage, where + ": the first line is empty", "the first line is the passphrase");
  const auto why = use == PassphraseFor::kClosing ? why_not_typed(line, content.substr(end)) : std::nullopt;
  if (why)
    return fail(ErrorCode::kUsage, where + ": nobody could type this passphrase again: " + *why,
                "one line of UTF-8 without control characters is needed");
  return SecretBytes(line);
}

Result<SecretBytes> ask(Session& session, PassphraseFor use) {
  const env::Interrupt* interrupt = session.progress().interrupt();
  SecretBytes given = TRY_IN("--passphrase", env::read_hidden_line("passphrase: ", interrupt));
  SecretBytes line = TRY(first_line(given.reveal(), "--passphrase", use));
  if (use == PassphraseFor::kOpening) return line;
  const SecretBytes again = TRY_IN("--passphrase", env::read_hidden_line("the same again: ", interrupt));
  if (again.reveal() != given.reveal())
    return fail(ErrorCode::kUsage, "--passphrase: the two are not the same", "try again");
  return line;
}

}  // namespace

std::vector<Option> passphrase_options(const std::string& what) {
  return {{.name = "--passphrase", .value = "", .help = "ask on the terminal for the passphrase that " + what},
          {.name = "--passphrase-file",
           .value = "FILE",
           .help = "a file whose first line is the passphrase; - is standard input",
           .names = Names::kFile},
          {.name = "--passphrase-command",
           .value = "CMD",
           .help = "a line for the shell that prints the passphrase as its first line"}};
}

std::vector<Option> key_options() {
  std::vector<Option> options{{.name = "--age-identity",
                               .value = "FILE",
                               .help = "secret keys, as age-keygen writes them, that may open an encrypted bundle",
                               .times = Times::kAny,
                               .names = Names::kFile}};
  for (Option& option : passphrase_options("opens the bundle")) options.push_back(std::move(option));
  return options;
}

bool asks_for_passphrase(const Arguments& arguments) {
  return std::ranges::any_of(kWays, [&](const char* way) { return arguments.has(way); });
}

Result<std::optional<SecretBytes>> read_passphrase(Session& session, const Arguments& arguments, PassphraseFor use) {
  if (std::ranges::count_if(kWays, [&](const char* way) { return arguments.has(way); }) > 1)
    return fail(ErrorCode::kUsage, "--passphrase, --passphrase-file and --passphrase-command: one at a time",
                "leave out the others");
  const env::Interrupt* interrupt = session.progress().interrupt();
  if (arguments.has("--passphrase")) return std::optional(TRY(ask(session, use)));
  if (const auto command = arguments.value("--passphrase-command")) {
    const SecretBytes output =
        TRY_IN("--passphrase-command", env::secret_output_of(*command, ::environ, kPassphraseBytesMax, interrupt));
    return std::optional(TRY(first_line(output.reveal(), "--passphrase-command", use)));
  }
  const auto path = arguments.value("--passphrase-file");
  if (!path) return std::nullopt;
  SecretText content;
  content.text = TRY_IN("--passphrase-file", env::read_input(*path, kPassphraseBytesMax, interrupt));
  return std::optional(TRY(first_line(content.text, "--passphrase-file " + shown(*path), use)));
}

Result<SecretBytes> read_secret_value(Session& session, const std::string& name) {
  const env::Interrupt* interrupt = session.progress().interrupt();
  if (::isatty(STDIN_FILENO) == 1) return env::read_hidden_line(shown(name) + ": ", interrupt);
  SecretText content;
  content.text = TRY_IN("standard input", env::read_input("-", kPassphraseBytesMax, interrupt));
  std::string_view value = content.text;
  if (value.ends_with('\n')) value.remove_suffix(1);
  if (value.empty())
    return fail(ErrorCode::kUsage, "standard input is empty", "the value of " + shown(name) + " is read from there");
  return SecretBytes(value);
}

Result<Keys> read_keys(Session& session, const Arguments& arguments) {
  TRY(check_standard_input(arguments));
  Keys keys;
  for (const std::string& path : arguments.all("--age-identity")) {
    SecretText content;
    content.text = TRY_IN("--age-identity",
                          env::read_input(path, crypto::kAgeIdentityFileBytesMax, session.progress().interrupt()));
    for (crypto::AgeIdentity& identity :
         TRY_IN("--age-identity " + shown(path), crypto::parse_identity_file(content.text)))
      keys.identities.push_back(std::move(identity));
  }
  keys.passphrase = TRY(read_passphrase(session, arguments, PassphraseFor::kOpening));
  return keys;
}

}  // namespace spl::cli
