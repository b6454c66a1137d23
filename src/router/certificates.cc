#include "router/certificates.h"

#include <algorithm>

#include "base/encoding.h"
#include "env/child_process.h"
#include "env/shell_command.h"
#include "router/names.h"

namespace spl::router {
namespace {

using std::chrono::system_clock;
using namespace std::chrono_literals;

constexpr std::size_t kPemBytesMax = 1u << 20;
constexpr auto kClockSkew = 1h;
constexpr char kOwnKeyFile[] = "authority-key.pem";
constexpr char kOwnFile[] = "authority.pem";
constexpr char kOwnNamesFile[] = "authority-names";  // those that it may vouch for, a line each
constexpr char kDehydrated[] = "/usr/bin/dehydrated";
constexpr auto kAcmeAtMost = 10min;

// Octets of PEM that may be a key: wiped with what holds them.
Result<SecretBytes> read_pem(env::Env env, const std::string& path) {
  std::string text = TRY(env::read_file(env.fs, path, kPemBytesMax));
  SecretBytes pem(text);
  explicit_bzero(text.data(), text.size());
  return pem;
}

std::string lines_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

// Host names that it may vouch for are its own and those below them; of addresses the private ones besides.
bool covers(const std::vector<std::string>& constrained, const std::string& name) {
  if (std::ranges::find(constrained, name) != constrained.end()) return true;
  if (is_address(name)) return is_private_address(name);
  return std::ranges::any_of(constrained, [&](const std::string& one) { return name.ends_with("." + one); });
}

// A machine that stopped between the two files has left one of another pair.
Result<bool> fits_its_key(env::Env env, const std::string& certificate, const std::string& key_file) {
  if (!TRY(env.fs.info(key_file))) return false;
  return crypto::is_key_of(certificate, TRY(read_pem(env, key_file)).reveal());
}

crypto::CertificateRequest request_for(env::Env env, const std::string& subject, const std::vector<std::string>& names,
                                       std::chrono::days lifetime) {
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(env.clock.now());
  return {subject, names, now - kClockSkew, now + lifetime, [env](std::span<char> out) { env.random.fill(out); }};
}

// What the certificate is to be for: each tenant has a host of its own, with origins by name each
// service, too.
std::vector<std::string> wanted_names(const RouterPlan& plan) {
  std::vector<std::string> names = plan.names;
  for (const RoutedTenant& tenant : plan.tenants) names.insert(names.end(), {tenant.host, "*." + tenant.host});
  if (plan.origins != home::ServiceOrigins::kName) return names;
  for (const RoutedService& service : plan.services) {
    for (const std::string& name : plan.names) {
      if (!is_address(name)) names.push_back(service.route + "." + name);
    }
  }
  return names;
}

// What the authority may vouch for: the machine's own names, and hosts of tenants that are not below one of them.
std::vector<std::string> constrained_names(const RouterPlan& plan) {
  std::vector<std::string> names = plan.names;
  for (const RoutedTenant& tenant : plan.tenants) {
    if (!covers(names, tenant.host)) names.push_back(tenant.host);
  }
  return names;
}

Result<std::optional<crypto::KeyedCertificate>> kept_authority(env::Env env, const RouterPlan& plan) {
  const std::string directory = kept_directory(plan.paths);
  for (const char* file : {kOwnFile, kOwnKeyFile, kOwnNamesFile}) {
    if (!TRY(env.fs.info(env::join(directory, file)))) return std::optional<crypto::KeyedCertificate>();
  }
  const std::string certificate = TRY(env::read_file(env.fs, env::join(directory, kOwnFile), kPemBytesMax));
  const std::string names = TRY(env::read_file(env.fs, env::join(directory, kOwnNamesFile), kPemBytesMax));
  const auto facts = crypto::certificate_facts(certificate);
  if (!facts || facts->until < env.clock.now() + kLeafLifetime ||
      !TRY(fits_its_key(env, certificate, env::join(directory, kOwnKeyFile))))
    return std::optional<crypto::KeyedCertificate>();
  std::vector<std::string> constrained;
  for (std::size_t from = 0; from < names.size();) {
    const std::size_t end = std::min(names.find('\n', from), names.size());
    constrained.push_back(names.substr(from, end - from));
    from = end + 1;
  }
  if (!std::ranges::all_of(constrained_names(plan), [&](const std::string& name) { return covers(constrained, name); }))
    return std::optional<crypto::KeyedCertificate>();
  return std::optional(crypto::KeyedCertificate{TRY(read_pem(env, env::join(directory, kOwnKeyFile))), certificate});
}

Result<crypto::KeyedCertificate> authority_for(env::Env env, const RouterPlan& plan) {
  if (auto kept = TRY(kept_authority(env, plan))) return std::move(*kept);
  const std::vector<std::string> names = constrained_names(plan);
  auto made = TRY(crypto::make_authority(request_for(env, "spl on " + plan.names.front(), names, kAuthorityLifetime)));
  const std::string directory = kept_directory(plan.paths);
  TRY(env::make_directories(env.fs, directory));
  TRY(env::write_file_atomically(env.fs, env::join(directory, kOwnKeyFile), made.key.reveal()));
  TRY(env::write_file_atomically(env.fs, env::join(directory, kOwnNamesFile), lines_of(names)));
  TRY(env::write_file_atomically(env.fs, env::join(directory, kOwnFile), made.certificate));
  return made;
}

bool holds(const crypto::CertificateFacts& facts, const std::vector<std::string>& names, system_clock::time_point now) {
  const auto renewal = std::min<system_clock::duration>(kLeafRenewal, (facts.until - facts.from) / 3);
  return facts.until > now + renewal && std::ranges::is_permutation(facts.names, names);
}

// Whether what is shown is of the machine's own authority, which stands behind it in the file.
Result<bool> is_own(env::Env env, const RouterPlan& plan) {
  const auto authority = TRY(own_authority(env, plan.paths));
  if (!authority || !TRY(env.fs.info(plan.certificate_file))) return false;
  return TRY(env::read_file(env.fs, plan.certificate_file, kPemBytesMax)).ends_with(*authority);
}

}  // namespace

Result<bool> keep_own_certificate(env::Env env, const RouterPlan& plan) {
  const auto before = TRY(own_authority(env, plan.paths));
  const crypto::KeyedCertificate authority = TRY(authority_for(env, plan));
  const std::vector<std::string> names = wanted_names(plan);
  const auto shown = TRY(shown_certificate(env, plan));
  if (before == authority.certificate && shown && TRY(is_own(env, plan)) && holds(*shown, names, env.clock.now()) &&
      check_certificate_files(env, plan))
    return false;
  const auto made =
      TRY(crypto::issue_certificate(authority, request_for(env, plan.names.front(), names, kLeafLifetime)));
  // nginx reads both when it is told to, and not before.
  TRY(env::write_file_atomically(env.fs, plan.key_file, made.key.reveal()));
  TRY(env::write_file_atomically(env.fs, plan.certificate_file, made.certificate + authority.certificate));
  return true;
}

Result<bool> keep_acme_certificate(env::Env env, const RouterPlan& plan, const home::RouterConfig& config,
                                   base::Progress& progress) {
  std::vector<std::string> names = wanted_names(plan);
  std::erase_if(names, is_address);
  std::erase_if(names, [](const std::string& name) { return name == "localhost" || name.ends_with(".local"); });
  // What is below a tenant's host is no single name, and by HTTP-01 there is no other.
  std::erase_if(names, [](const std::string& name) { return name.starts_with("*."); });
  if (names.empty())
    return fail(ErrorCode::kUsage, "router.certificate is acme, and no name is one that an authority vouches for",
                "give names in [router] of config.toml");
  const auto shown = TRY(shown_certificate(env, plan));
  // One of its own is shown until there is this one.
  if (shown && !TRY(is_own(env, plan)) && holds(*shown, names, env.clock.now()) && check_certificate_files(env, plan))
    return false;
  if (!TRY(env.fs.info(kDehydrated)))
    return fail(ErrorCode::kUnavailable, "dehydrated is not installed", "apt-get install dehydrated");
  const std::string directory = env::join(kept_directory(plan.paths), "acme");
  TRY(env::make_directories(env.fs, directory));
  std::string settings = "BASEDIR=" + env::shell_quoted(directory) +
                         "\nWELLKNOWN=" + env::shell_quoted(plan.challenge_directory) + "\nCHALLENGETYPE=http-01\n";
  if (!config.acme_url.empty()) settings += "CA=" + env::shell_quoted(config.acme_url) + "\n";
  if (!config.acme_ca_file.empty())
    settings += "CURL_OPTS=" + env::shell_quoted("--cacert " + config.acme_ca_file) + "\n";
  const std::string settings_file = env::join(directory, "config");
  TRY(env::write_file_atomically(env.fs, settings_file, settings));
  std::string domains;
  for (const std::string& name : names) domains += (domains.empty() ? "" : " ") + name;
  TRY(env::write_file_atomically(env.fs, env::join(directory, "domains.txt"), domains + "\n"));
  progress.step("asking for a certificate of " + names.front());
  const env::ChildOptions options{
      .arguments = {kDehydrated, "--config", settings_file, "--register", "--accept-terms"},
      .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=" + directory}};
  const env::CommandLimits limits{.at_most = kAcmeAtMost, .progress = &progress};
  TRY_IN("dehydrated", env::output_of_command(options, "", limits));
  env::ChildOptions sign = options;
  sign.arguments = {kDehydrated, "--config", settings_file, "--cron", "--keep-going", "--force"};
  TRY_IN("dehydrated", env::output_of_command(sign, "", limits));
  const std::string made = env::join(directory, "certs/" + names.front());
  // Its names for the newest are links to files beside them.
  std::string text = TRY(env::read_followed(env.fs, env::join(made, "privkey.pem"), kPemBytesMax));
  const SecretBytes key(text);
  explicit_bzero(text.data(), text.size());
  const std::string certificate = TRY(env::read_followed(env.fs, env::join(made, "fullchain.pem"), kPemBytesMax));
  TRY(env::write_file_atomically(env.fs, plan.key_file, key.reveal()));
  TRY(env::write_file_atomically(env.fs, plan.certificate_file, certificate));
  return true;
}

Result<void> check_certificate_files(env::Env env, const RouterPlan& plan) {
  const SecretBytes certificate = TRY(read_pem(env, plan.certificate_file));
  const SecretBytes key = TRY(read_pem(env, plan.key_file));
  TRY_IN(base::escaped(plan.certificate_file), crypto::certificate_facts(certificate.reveal()));
  if (!crypto::is_key_of(certificate.reveal(), key.reveal()))
    return fail(ErrorCode::kUsage, base::escaped(plan.key_file) + " is not the key of the certificate",
                "give the key without a passphrase, and the certificate that was made for it");
  return {};
}

Result<std::optional<crypto::CertificateFacts>> shown_certificate(env::Env env, const RouterPlan& plan) {
  if (!TRY(env.fs.info(plan.certificate_file))) return std::optional<crypto::CertificateFacts>();
  const SecretBytes pem = TRY(read_pem(env, plan.certificate_file));
  auto facts = crypto::certificate_facts(pem.reveal());
  return facts ? std::optional(std::move(*facts)) : std::nullopt;
}

Result<std::optional<std::string>> own_authority(env::Env env, const home::HomePaths& paths) {
  const std::string file = env::join(kept_directory(paths), kOwnFile);
  if (!TRY(env.fs.info(file))) return std::optional<std::string>();
  return std::optional(TRY(env::read_file(env.fs, file, kPemBytesMax)));
}

}  // namespace spl::router
