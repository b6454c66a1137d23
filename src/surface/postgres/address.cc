#include "surface/postgres/address.h"

#include <libpq-fe.h>

#include <memory>

#include "base/encoding.h"
#include "base/secrets.h"
#include "env/users.h"

namespace spl::surface {
namespace {

constexpr std::string_view kNoAddressHint =
    "write it as in postgresql:///database?host=/run/postgresql&user=role or postgresql://role@host:5432/database";

std::string quoted(std::string_view text, char quote) {
  std::string made(1, quote);
  for (const char c : text) {
    if (c == quote) made += quote;
    made += c;
  }
  return made + quote;
}

// As a part of a URL.
std::string url_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string made;
  made.reserve(3 * text.size());
  for (const char c : text) {
    const bool stays =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    const auto octet = static_cast<unsigned char>(c);
    if (stays) {
      made += c;
    } else {
      made += {'%', kDigits[octet >> 4], kDigits[octet & 15]};
    }
  }
  return made;
}

}  // namespace

std::string sql_name(std::string_view name) {
  return quoted(name, '"');
}

std::string sql_text(std::string_view text) {
  std::string made = quoted(text, '\'');
  if (text.find('\\') == std::string_view::npos) return made;
  // Of a text with backslashes only this form means the same whatever the server's settings are.
  std::string escaped = "E";
  for (const char c : made) {
    if (c == '\\') escaped += c;
    escaped += c;
  }
  return escaped;
}

Result<ServerAddress> ServerAddress::parse(const SecretBytes& url) {
  struct Free {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
  };
  char* fault = nullptr;
  std::string text(url.reveal());
  const std::unique_ptr<PQconninfoOption, Free> options(PQconninfoParse(text.c_str(), &fault));
  explicit_bzero(text.data(), text.size());
  // What libpq says of it repeats it.
  PQfreemem(fault);
  if (!options || url.empty())
    return fail(ErrorCode::kUsage, "the url is none that PostgreSQL's library can read", std::string(kNoAddressHint));
  ServerAddress address;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr || *option->val == '\0') continue;
    const std::string keyword = option->keyword;
    if (keyword == "service" || keyword == "passfile" || keyword == "sslpassword" || keyword == "replication")
      return fail(ErrorCode::kUsage, "the url has " + keyword + ", which is not taken from a url here",
                  "say in the url itself what it leads to");
    if (keyword == "password") {
      address.password_ = SecretBytes(option->val);
    } else {
      address.values_[keyword] = option->val;
    }
  }
  auto& values = address.values_;
  if (!values.contains("host") && !values.contains("hostaddr")) values["host"] = "/var/run/postgresql";
  values.try_emplace("port", "5432");
  address.names_user_ = values.contains("user");
  if (!address.names_user_) {
    const auto own = TRY(env::find_user(env::own_user_id()));
    if (!own) return fail(ErrorCode::kUsage, "the url names no user", std::string(kNoAddressHint));
    values["user"] = own->name;
  }
  values.try_emplace("dbname", values["user"]);
  values.try_emplace("sslmode", "prefer");
  values["gssencmode"] = "disable";
  values["passfile"] = "/nonexistent";
  values["application_name"] = "spl";
  return address;
}

ServerAddress ServerAddress::copy() const {
  ServerAddress made;
  made.values_ = values_;
  made.password_ = password_.copy();
  made.names_user_ = names_user_;
  return made;
}

const std::string& ServerAddress::value(const std::string& keyword) const {
  static const std::string kNone;
  const auto found = values_.find(keyword);
  return found == values_.end() ? kNone : found->second;
}

bool ServerAddress::is_local() const {
  return host().starts_with('/') || host().starts_with('@');
}

void ServerAddress::set_user(std::string user, SecretBytes password) {
  values_["user"] = std::move(user);
  password_ = std::move(password);
  names_user_ = true;
}

SecretBytes ServerAddress::url() const {
  std::string text = "postgresql:///" + url_encoded(database());
  char before = '?';
  for (const auto& [keyword, value] : values_) {
    const bool is_ours = keyword == "passfile" || keyword == "gssencmode" || keyword == "application_name";
    if (is_ours || keyword == "dbname" || (keyword == "user" && !names_user_)) continue;
    text += before + keyword + "=" + url_encoded(value);
    before = '&';
  }
  if (password_.empty()) return SecretBytes(text);
  // No copy of it is left behind by growth.
  std::string secret = url_encoded(password_.reveal());
  std::string whole;
  whole.reserve(text.size() + secret.size() + 16);
  whole.append(text).append(1, before).append("password=").append(secret);
  SecretBytes made(whole);
  explicit_bzero(secret.data(), secret.size());
  explicit_bzero(whole.data(), whole.size());
  return made;
}

std::string ServerAddress::argument() const {
  std::string text;
  for (const auto& [keyword, value] : values_) {
    if (keyword == "passfile") continue;  // by the environment
    if (!text.empty()) text += ' ';
    text += keyword + "='";
    for (const char c : value) {
      if (c == '\'' || c == '\\') text += '\\';
      text += c;
    }
    text += '\'';
  }
  return text;
}

std::string ServerAddress::shown() const {
  return "database " + base::escaped(database(), 70) + " on " +
         base::escaped(host().empty() ? value("hostaddr") : host(), 120) + ", port " + base::escaped(port(), 20) +
         ", as the role " + base::escaped(user(), 70);
}

std::string ServerAddress::without_password(std::string text) const {
  constexpr std::size_t kTooShortToTell = 4;
  const std::string_view secret = password_.reveal();
  if (secret.size() < kTooShortToTell) return text;
  for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += base::kNotShown.size())
    text.replace(at, secret.size(), base::kNotShown);
  return text;
}

}  // namespace spl::surface
