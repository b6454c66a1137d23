#include "http/signature.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/encoding.h"
#include "crypto/sha256.h"

namespace spl::http {
namespace {

constexpr std::string_view kLabel = "spl";

std::unexpected<Error> wrong(std::string_view why) {
  return fail(ErrorCode::kVerification, "signature: " + std::string(why));
}

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '*';
}

// Reads the structured fields (RFC 8941) that are needed here, in their canonical form alone.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  Result<std::string> key() {
    std::size_t size = 0;
    while (size < rest_.size() && is_key_char(rest_[size])) ++size;
    if (size == 0 || !(rest_.front() == '*' || (rest_.front() >= 'a' && rest_.front() <= 'z'))) return wrong("no key");
    return taken(size);
  }
  // Between quotes; visible ASCII.
  Result<std::string> string() {
    if (!take('"')) return wrong("a text without quotes");
    std::string text;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return text;
      if (c == '\\') {
        if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\\')) return wrong("a broken escape");
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      if (c < ' ' || c > '~') return wrong("a text that is not ASCII");
      text.push_back(c);
    }
    return wrong("a text without an end");
  }
  Result<std::int64_t> integer() {
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    const auto size = static_cast<std::size_t>(stop - rest_.data());
    if (error != std::errc() || size > 16) return wrong("no whole number");
    rest_.remove_prefix(size);
    return number;
  }
  Result<std::string> octets() {
    const std::size_t end = rest_.size() < 2 || rest_.front() != ':' ? std::string_view::npos : rest_.find(':', 1);
    if (end == std::string_view::npos) return wrong("no octets between colons");
    const std::string_view base64 = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return base::from_base64(base64);
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string taken(std::size_t size) {
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  std::string_view rest_;
};

Result<void> take_components(FieldReader& reader, SignatureInput& input) {
  if (!reader.take('(')) return wrong("no list of components");
  while (!reader.take(')')) {
    if (!input.components.empty() && !reader.take(' ')) return wrong("a broken list of components");
    std::string component = TRY(reader.string());
    if (component.empty() || input.covers(component)) return wrong("a component twice, or without a name");
    if (input.components.size() == kSignatureComponentsMax) return wrong("too many components");
    input.components.push_back(std::move(component));
  }
  return {};
}

Result<void> take_parameters(FieldReader& reader, SignatureInput& input) {
  std::vector<std::string> seen;
  while (reader.take(';')) {
    const std::string name = TRY(reader.key());
    if (std::ranges::find(seen, name) != seen.end()) return wrong("a parameter twice");
    seen.push_back(name);
    if (!reader.take('=')) return wrong("a parameter without a value");
    if (name == "created") {
      input.created = TRY(reader.integer());
    } else if (name == "expires") {
      input.expires = TRY(reader.integer());
    } else if (name == "keyid") {
      input.key_id = TRY(reader.string());
    } else if (name == "nonce") {
      input.nonce = TRY(reader.string());
    } else if (name == "alg") {
      input.algorithm = TRY(reader.string());
    } else if (name == "tag") {
      input.tag = TRY(reader.string());
    } else {
      return wrong("a parameter that is not known");
    }
  }
  return reader.at_end() ? Result<void>() : wrong("more than one signature, or something behind it");
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    SPL_CHECK(c >= ' ' && c <= '~');
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Result<std::string> derived(const SignedMessage& message, std::string_view component) {
  const std::size_t question = std::min(message.target.find('?'), message.target.size());
  if (component == "@status" && message.status != 0) return std::to_string(message.status);
  if (message.method.empty()) return wrong("a component that an answer does not have");
  if (component == "@method") return std::string(message.method);
  if (component == "@path") return std::string(message.target.substr(0, question));
  if (component == "@query")
    return question == message.target.size() ? "?" : std::string(message.target.substr(question));
  if (component == "@request-target") return std::string(message.target);
  if (component == "@authority") {
    const std::string* host = find_field(message.fields, "host");
    if (host == nullptr) return wrong("there is no host");
    std::string lower = *host;
    std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return lower;
  }
  return wrong("a component that is not known: " + base::escaped(component, 40));
}

Result<std::string> value_of(const SignedMessage& message, std::string_view component) {
  if (component.starts_with('@')) return derived(message, component);
  std::optional<std::string> value;
  for (const auto& [name, text] : message.fields) {
    if (name == component) value = (value ? *value + ", " : "") + std::string(trimmed(text));
  }
  if (!value) return wrong("field " + base::escaped(component, 40) + " is covered and not there");
  return std::move(*value);
}

}  // namespace

bool SignatureInput::covers(std::string_view component) const {
  return std::ranges::find(components, component) != components.end();
}

std::string parameters_text(const SignatureInput& input) {
  std::string text = "(";
  for (const std::string& component : input.components) text += (text.size() > 1 ? " " : "") + quoted(component);
  text += ")";
  if (input.created) text += ";created=" + std::to_string(*input.created);
  if (input.expires) text += ";expires=" + std::to_string(*input.expires);
  if (!input.nonce.empty()) text += ";nonce=" + quoted(input.nonce);
  if (!input.key_id.empty()) text += ";keyid=" + quoted(input.key_id);
  if (!input.algorithm.empty()) text += ";alg=" + quoted(input.algorithm);
  if (!input.tag.empty()) text += ";tag=" + quoted(input.tag);
  return text;
}

Result<std::string> signature_base(const SignedMessage& message, const std::vector<std::string>& components,
                                   std::string_view parameters) {
  std::string text;
  for (const std::string& component : components)
    text += quoted(component) + ": " + TRY(value_of(message, component)) + "\n";
  return text + "\"@signature-params\": " + std::string(parameters);
}

Result<void> sign_message(SignedMessage message, const SignatureInput& input, const crypto::SigningKey& key,
                          Fields& fields) {
  const std::string parameters = parameters_text(input);
  const std::string base = TRY(signature_base(message, input.components, parameters));
  const crypto::Signature signature = key.sign(base);
  fields.emplace_back(kSignatureInputField, std::string(kLabel) + "=" + parameters);
  fields.emplace_back(kSignatureField, std::string(kLabel) + "=:" + base::to_base64(signature.view()) + ":");
  return {};
}

Result<std::optional<ReceivedSignature>> received_signature(const Fields& fields) {
  const auto count = [&fields](std::string_view name) {
    return std::ranges::count_if(fields, [name](const auto& field) { return field.first == name; });
  };
  if (count(kSignatureField) == 0 && count(kSignatureInputField) == 0) return std::nullopt;
  if (count(kSignatureField) != 1 || count(kSignatureInputField) != 1)
    return wrong("one signature with its input is wanted");
  const std::string& text = *find_field(fields, kSignatureInputField);
  if (text.size() > kSignatureInputBytesMax) return wrong("its input is too long");
  ReceivedSignature received;
  FieldReader input(text);
  const std::string label = TRY(input.key());
  if (!input.take('=')) return wrong("a label without a value");
  received.parameters = input.rest();
  TRY(take_components(input, received.input));
  TRY(take_parameters(input, received.input));
  FieldReader signature(*find_field(fields, kSignatureField));
  if (TRY(signature.key()) != label || !signature.take('=')) return wrong("its label is not that of its input");
  const std::string octets = TRY(signature.octets());
  if (octets.size() != crypto::kSignatureBytes || !signature.at_end()) return wrong("64 octets are wanted");
  received.signature = crypto::Signature::from(octets);
  return received;
}

bool signature_holds(const SignedMessage& message, const ReceivedSignature& received, const crypto::PublicKey& key) {
  const auto base = signature_base(message, received.input.components, received.parameters);
  return base && crypto::verify(key, *base, received.signature);
}

std::string content_digest(std::string_view content) {
  return "sha-256=:" + base::to_base64(crypto::sha256(content).view()) + ":";
}

}  // namespace spl::http
