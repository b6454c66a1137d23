#include "home/router_config.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "codec/enum_names.h"
#include "home/config_text.h"

namespace spl::home {
namespace {

constexpr std::size_t kNamesMax = 16;
constexpr std::size_t kHostBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;
constexpr int kPortsMax = 1000;

bool is_address(const std::string& text) {
  in6_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1 || ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// "192.0.2.1", "2001:db8::/32".
bool is_network(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (!is_address(text.substr(0, slash))) return false;
  if (slash == std::string::npos) return true;
  unsigned bits = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + slash + 1, end, bits);
  return read.ec == std::errc() && read.ptr == end && bits <= (text.find(':') == std::string::npos ? 32u : 128u);
}

class Reader {
 public:
  Reader(const std::string& path, const toml::node& node) : path_(path), at_(node) {}

  Result<void> take(std::string_view name, RouterConfig& config) {
    if (name == "names") return take_names(config.names);
    if (name == "https") return take_port(name, 1, config.https);
    if (name == "http") return take_port(name, 0, config.http);
    if (name == "services") return take_word(name, config.services);
    if (name == "ports") return take_range(config.ports);
    if (name == "certificate") return take_word(name, config.certificate);
    if (name == "certificate_file") return take_path(name, config.certificate_file);
    if (name == "key_file") return take_path(name, config.key_file);
    if (name == "acme_url") return take_url(name, config.acme_url);
    if (name == "acme_ca_file") return take_path(name, config.acme_ca_file);
    if (name == "trusted_proxies") return take_networks(config.trusted_proxies);
    return wrong("is an unknown key", name);
  }

 private:
  std::unexpected<Error> wrong(const std::string& why, std::string_view name) {
    return config_error(path_, at_.source(), "router." + std::string(name) + " " + why);
  }
  [[nodiscard]] std::string text() const { return at_.value<std::string>().value_or(""); }

  Result<std::vector<std::string>> texts(std::string_view name, bool (*is_good)(const std::string&)) {
    const toml::array* array = at_.as_array();
    if (array == nullptr || array->size() > kNamesMax) return wrong("is not an array of at most 16 strings", name);
    std::vector<std::string> all;
    for (const toml::node& item : *array) {
      const std::string one = item.value<std::string>().value_or("");
      if (!is_good(one)) return wrong("has what is none", name);
      if (std::ranges::find(all, one) == all.end()) all.push_back(one);
    }
    return all;
  }
  Result<void> take_names(std::vector<std::string>& names) {
    names = TRY(texts("names", [](const std::string& one) { return is_host_name(one); }));
    return {};
  }
  Result<void> take_networks(std::vector<std::string>& networks) {
    networks = TRY(texts("trusted_proxies", is_network));
    return {};
  }
  Result<void> take_port(std::string_view name, std::int64_t least, std::optional<std::uint16_t>& port) {
    const auto number = at_.value<std::int64_t>();
    if (!at_.is_integer() || *number < least || *number > 65535) return wrong("is no port", name);
    port = static_cast<std::uint16_t>(*number);
    return {};
  }
  template <class Enum>
  Result<void> take_word(std::string_view name, Enum& value) {
    const auto known = codec::parse_enum<Enum>(text());
    if (!known) return wrong("is none of " + codec::enum_choices<Enum>(), name);
    value = *known;
    return {};
  }
  Result<void> take_path(std::string_view name, std::string& path) {
    path = text();
    return path.starts_with('/') ? Result<void>() : wrong("is no absolute path", name);
  }
  Result<void> take_url(std::string_view name, std::string& url) {
    url = text();
    return url.starts_with("https://") ? Result<void>() : wrong("does not begin with https://", name);
  }
  Result<void> take_range(PortRange& range) {
    const std::string said = text();
    const char* const end = said.data() + said.size();
    const auto first = std::from_chars(said.data(), end, range.first);
    const bool goes_on = first.ec == std::errc() && first.ptr != end && *first.ptr == '-';
    const auto last = goes_on ? std::from_chars(first.ptr + 1, end, range.last) : first;
    if (!goes_on || last.ec != std::errc() || last.ptr != end || range.first == 0 || range.last < range.first ||
        range.last - range.first >= kPortsMax)
      return wrong("is no range of ports such as \"8450-8499\"", "ports");
    return {};
  }

  const std::string& path_;
  const toml::node& at_;
};

}  // namespace

bool is_host_name(std::string_view name) {
  if (is_address(std::string(name))) return true;
  if (name.empty() || name.size() > kHostBytesMax) return false;
  std::size_t label = 0;
  char before = '.';
  for (const char c : name) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (c == '.' ? before == '.' || before == '-' : !is_word && (c != '-' || before == '.')) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > kLabelBytesMax) return false;
    before = c;
  }
  return before != '.' && before != '-';
}

Result<RouterConfig> parse_router_config(const std::string& path, const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return config_error(path, node.source(), "router is not a table");
  RouterConfig config;
  for (const auto& [key, value] : *table) TRY(Reader(path, value).take(key.str(), config));
  const bool has_files = !config.certificate_file.empty() && !config.key_file.empty();
  if (config.certificate == CertificateKind::kFiles && !has_files)
    return config_error(path, node.source(), "router.certificate is files: certificate_file and key_file say which");
  const auto& [first, last] = config.ports;
  for (const auto& port : {config.https, config.http}) {
    if (port && *port >= first && *port <= last)
      return config_error(path, node.source(), "router.ports has the panel's own port");
  }
  if (config.https && config.https == config.http)
    return config_error(path, node.source(), "router.http is the same port as router.https");
  return config;
}

}  // namespace spl::home
