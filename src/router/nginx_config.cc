#include "router/nginx_config.h"

#include <algorithm>

#include "codec/enum_names.h"
#include "router/names.h"

namespace spl::router {
namespace {

using home::ServiceOrigins;

// As a word of nginx's configuration: what a home's path may hold has no meaning in it.
std::string quoted(std::string_view text) {
  std::string word = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') word += '\\';
    word += c;
  }
  return word + "\"";
}

// What both the owner's door and services are told, whatever the client has said.
constexpr std::string_view kForwarded = R"(
      proxy_set_header Host $http_host;
      proxy_set_header Connection $spl_connection;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Forwarded "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Forwarded-Host $http_host;
)";

// What a service is told besides, of who asks: as the daemon has said.
constexpr std::string_view kIdentified = R"(
      proxy_set_header X-Spl-User $spl_user;
      proxy_set_header X-Hero-User $spl_user;
      proxy_set_header X-Spl-Context $spl_context;
      proxy_set_header X-Hero-Context $spl_context_id;
      proxy_set_header X-Hero-Claims $spl_claims;
      proxy_set_header Cookie $spl_cookie;
      proxy_set_header Authorization $spl_authorization;
)";

constexpr std::string_view kAsked = R"(
      auth_request_set $spl_user $upstream_http_x_spl_user;
      auth_request_set $spl_context $upstream_http_x_spl_context;
      auth_request_set $spl_context_id $upstream_http_x_hero_context;
      auth_request_set $spl_claims $upstream_http_x_hero_claims;
      auth_request_set $spl_cookie $upstream_http_x_spl_passed_cookie;
      auth_request_set $spl_authorization $upstream_http_x_spl_passed_authorization;
      auth_request_set $spl_refusal $upstream_http_x_spl_refusal;
)";

// Answers of the router itself, in the words of the API.
constexpr std::string_view kDown = R"(
    location @down {
      default_type application/json;
      add_header Retry-After 5 always;
      return 503 '{"object":"error","code":"UNAVAILABLE","message":"the service is down, or is being restored","hint":"try again later"}';
    }
)";
constexpr std::string_view kOwnAnswers = R"(
    location @unknown {
      if ($spl_is_page) { return 302 $spl_way_in; }
      default_type application/json;
      add_header WWW-Authenticate $spl_challenge always;
      return 401 '{"object":"error","code":"AUTH_REQUIRED","message":"only its owner may pass","hint":"sign in, or send a token"}';
    }
    location @refused {
      if ($spl_unclaimed_page) { return 302 $spl_way_in; }
      default_type application/json;
      if ($spl_refusal = unclaimed) {
        return 403 '{"object":"error","code":"UNCLAIMED","message":"this instance has no owner yet","hint":"open the link that its console shows"}';
      }
      if ($spl_refusal = 400) {
        return 400 '{"object":"error","code":"INVALID_REQUEST","message":"a header is the router\'s own, or names a context that is not there","hint":"send no X-Spl- or X-Hero- header but X-Spl-Context"}';
      }
      if ($spl_refusal = cross-origin) {
        return 403 '{"object":"error","code":"CROSS_ORIGIN","message":"a page of another origin asked","hint":""}';
      }
      return 403 '{"object":"error","code":"REFUSED","message":"this may not pass","hint":""}';
    }
)";

class Writer {
 public:
  explicit Writer(const RouterPlan& plan) : plan_(plan) {}

  std::string text() {
    begin();
    http_begin();
    for (std::size_t i = 0; i < plan_.services.size(); ++i) upstream(plan_.services[i], rest_of(i));
    panel();
    if (plan_.origins == ServiceOrigins::kPort) {
      for (const RoutedService& service : plan_.services) origin(service, service.port, names());
    }
    if (plan_.origins == ServiceOrigins::kName) {
      for (const RoutedService& service : plan_.services) origin(service, plan_.https, names_below(service.route));
    }
    for (const RoutedTenant& tenant : plan_.tenants) this->tenant(tenant);
    strangers();
    plain();
    out_ += "}\n";
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += text + "\n"; }

  void begin() {
    const std::string run = run_directory(plan_.paths);
    line("# Written by spl, and written anew by it.");
    if (plan_.as_root) line(std::string("user ") + kRouterUser + " " + kRouterUser + ";");
    line("pid " + quoted(env::join(run, "nginx.pid")) + ";");
    line("error_log " + quoted(env::join(plan_.paths.root, "logs/router.log")) + " warn;");
    out_ += R"(worker_processes auto;
worker_rlimit_nofile 16384;
worker_shutdown_timeout 10m;
events { worker_connections 4096; }
)";
  }

  void http_begin() {
    out_ += R"(http {
  access_log off;
  server_tokens off;
  server_names_hash_bucket_size 512;
  log_not_found off;
  merge_slashes off;
  default_type application/octet-stream;
  underscores_in_headers off;
  client_max_body_size 0;
  client_header_timeout 30s;
  client_body_timeout 10m;
  send_timeout 10m;
  recursive_error_pages on;
  proxy_http_version 1.1;
  proxy_buffering off;
  proxy_request_buffering off;
  proxy_connect_timeout 10s;
  proxy_read_timeout 10m;
  proxy_send_timeout 10m;
  proxy_next_upstream off;
  proxy_buffer_size 64k;
  proxy_buffers 4 64k;
  proxy_busy_buffers_size 128k;
  proxy_redirect off;
  proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
  ssl_prefer_server_ciphers off;
  ssl_session_cache shared:spl:1m;
  ssl_session_tickets off;
)";
    for (const char* what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      line("  " + std::string(what) + "_temp_path " +
           quoted(env::join(run_directory(plan_.paths), std::string("tmp/") + what)) + ";");
    if (plan_.front.empty()) {
      line("  ssl_certificate " + quoted(plan_.certificate_file) + ";");
      line("  ssl_certificate_key " + quoted(plan_.key_file) + ";");
    } else {
      // The machine's router alone gets through to it, and says who came.
      line("  set_real_ip_from unix:;\n  real_ip_header X-Forwarded-For;");
    }
    for (const std::string& proxy : plan_.trusted_proxies) line("  set_real_ip_from " + proxy + ";");
    if (!plan_.trusted_proxies.empty()) line("  real_ip_header X-Forwarded-For;\n  real_ip_recursive on;");
    out_ += R"(  map $http_upgrade $spl_connection { default upgrade; "" ""; }
  map $http_sec_fetch_dest $spl_challenge { default ""; "" 'Basic realm="spl", charset="UTF-8"'; }
  map $http_sec_fetch_dest $spl_is_page { default ""; document 1; iframe 1; frame 1; embed 1; object 1; }
  map "$spl_refusal:$spl_is_page" $spl_unclaimed_page { default ""; "unclaimed:1" 1; }
  map $http_sec_fetch_dest $spl_is_embedded { default 1; "" ""; empty ""; document ""; iframe ""; frame ""; embed ""; object ""; }
)";
    line("  upstream spl_door { server " + quoted("unix:" + door_socket(plan_.paths)) + " max_fails=0; }");
  }

  // The variable that has what stands behind a service's prefix: a route may hold what no variable's name may.
  static std::string rest_of(std::size_t index) { return "$spl_rest_" + std::to_string(index); }

  void upstream(const RoutedService& service, const std::string& rest) {
    const std::string address = service.address.starts_with("tcp:") ? service.address.substr(4) : service.address;
    line("  upstream spl_to_" + service.route + " { server " + quoted(address) + " max_fails=0; }");
    // As it was sent: what nginx has decoded cannot be encoded the same way again.
    line("  map $request_uri " + rest + " { default \"\"; \"~^/" + service.route + "(?<spl_rest>/.*)$\" $spl_rest; }");
  }

  void listen(std::uint16_t port, const std::string& how) {
    if (!plan_.front.empty()) {
      const bool is_default = how.ends_with(" default_server");
      line("    listen " + quoted("unix:" + plan_.front) + (is_default ? " default_server;" : ";"));
      return;
    }
    line("    listen " + std::to_string(port) + " " + how + ";");
    if (plan_.ipv6) line("    listen [::]:" + std::to_string(port) + " " + how + ";");
  }

  [[nodiscard]] std::string names() const {
    std::string text;
    for (const std::string& name : plan_.names) text += (text.empty() ? "" : " ") + quoted(in_url(name));
    return text;
  }
  [[nodiscard]] std::string names_below(const std::string& route) const {
    std::string text;
    for (const std::string& name : plan_.names) {
      if (!is_address(name)) text += (text.empty() ? "" : " ") + quoted(route + "." + name);
    }
    return text;
  }

  void panel() {
    line("  server {");
    listen(plan_.https, "ssl http2");
    line("    server_name " + names() + ";");
    line("    set $spl_way_in \"https://$http_host/-/sign-in\";");
    line("    set $spl_refusal \"\";");
    line("    error_page 500 502 504 = @down;");
    for (const char* others : {kAdmitPath, kEnterPath})
      line(std::string("    location ^~ ") + others + " { return 404; }");
    line("    location / {\n      proxy_pass http://spl_door;");
    out_ += kForwarded.substr(1);
    line("      proxy_set_header X-Forwarded-Prefix \"\";\n    }");
    for (std::size_t i = 0; i < plan_.services.size(); ++i) route(plan_.services[i], rest_of(i));
    out_ += kDown.substr(1);
    out_ += kOwnAnswers.substr(1);
    line("  }");
  }

  // Below the panel's origin: for programs, or for all where there is no other origin.
  void route(const RoutedService& service, const std::string& rest) {
    const bool is_for_programs = plan_.origins != ServiceOrigins::kPath;
    line("    location = /" + service.route + " { return 308 /" + service.route + "/$is_args$args; }");
    line("    location ^~ /" + service.route + "/ {");
    line("      if (" + rest + " = \"\") { return 400; }");
    if (is_for_programs) {
      const std::string host = plan_.origins == ServiceOrigins::kPort
                                   ? "$host:" + std::to_string(service.port)
                                   : service.route + "." + plan_.names.front() +
                                         (plan_.https == 443 ? "" : ":" + std::to_string(plan_.https));
      line("      if ($spl_is_page) { return 302 https://" + host + rest + "; }");
      line("      if ($spl_is_embedded) { return 403; }");
    }
    line("      if ($http_upgrade) { return 418; }");
    line("      error_page 418 = @" + service.route + "_upgraded;");
    pass(service, rest, "10m");
    line("    }");
    line("    location @" + service.route + "_upgraded {");
    pass(service, rest, "1h");
    line("    }");
    admit(service);
  }

  // The origin of its own.
  void origin(const RoutedService& service, std::uint16_t port, const std::string& names) {
    line("  server {");
    listen(port, "ssl http2");
    line("    server_name " + names + ";");
    // Ports share the panel's cookie; a name has one of its own, which the panel's page gives it.
    line(
        "    set $spl_way_in \"" +
        (plan_.origins == ServiceOrigins::kPort
             ? "https://$host" + (plan_.https == 443 ? std::string() : ":" + std::to_string(plan_.https)) + "/-/sign-in"
             : plan_.panel_origin() + kOpenPath + service.route) +
        "\";");
    line("    set $spl_refusal \"\";");
    line("    location / {");
    line("      if ($http_upgrade) { return 418; }");
    line("      error_page 418 = @" + service.route + "_upgraded;");
    pass(service, "", "10m");
    line("    }");
    line("    location @" + service.route + "_upgraded {");
    pass(service, "", "1h");
    line("    }");
    if (plan_.origins == ServiceOrigins::kName) {
      line("    location = /-/enter {\n      proxy_pass http://spl_door" + std::string(kEnterPath) + service.route +
           "$is_args$args;");
      out_ += kForwarded.substr(1);
      line("    }");
    }
    admit(service);
    out_ += kDown.substr(1);
    out_ += kOwnAnswers.substr(1);
    line("  }");
  }

  // `rest`: the variable of what is passed on, below the prefix; "": all, as it is.
  void pass(const RoutedService& service, const std::string& rest, const std::string& patience) {
    const bool is_prefix = !rest.empty();
    line("      error_page 500 502 504 = @down;");
    line("      error_page 401 = @unknown;");
    line("      error_page 403 = @refused;");
    line("      auth_request /-admit/" + service.route + ";");
    out_ += kAsked.substr(1);
    line("      proxy_read_timeout " + patience + ";\n      proxy_send_timeout " + patience + ";");
    line("      proxy_pass http://spl_to_" + service.route + rest + ";");
    out_ += kForwarded.substr(1);
    out_ += kIdentified.substr(1);
    line("      proxy_set_header X-Forwarded-Prefix \"" + (is_prefix ? "/" + service.route : "") + "\";");
    if (is_prefix && plan_.origins != ServiceOrigins::kPath) {
      line("      add_header Content-Security-Policy sandbox always;");
      line("      add_header X-Content-Type-Options nosniff always;");
    }
  }

  // Asked before anything passes; the client cannot.
  void admit(const RoutedService& service) {
    line("    location = /-admit/" + service.route + " {");
    line("      internal;");
    line("      proxy_pass http://spl_door" + std::string(kAdmitPath) + "/" + service.route +
         "?access=" + std::string(codec::enum_name(service.access)) + ";");
    line("      proxy_pass_request_body off;");
    line("      proxy_set_header Content-Length \"\";");
    out_ += kForwarded.substr(1);
    line("      proxy_set_header X-Original-Method $request_method;");
    line("    }");
  }

  // All of its host, and of its services' below it: who may come in, and as whom, its own door says.
  void tenant(const RoutedTenant& tenant) {
    const std::string front = "server " + quoted("unix:" + tenant.front) + " max_fails=0;";
    const std::string door = "server " + quoted("unix:" + tenant.door) + " backup max_fails=0;";
    line("  upstream spl_tenant_" + tenant.name + " { " + front + " " + door + " }");
    line("  upstream spl_below_" + tenant.name + " { " + front + " }");
    pass_on(tenant.host, "spl_tenant_" + tenant.name, {kAdmitPath, kEnterPath});
    pass_on("*." + tenant.host, "spl_below_" + tenant.name, {});
  }
  void pass_on(const std::string& host, const std::string& upstream, const std::vector<const char*>& others) {
    line("  server {");
    listen(plan_.https, "ssl http2");
    line("    server_name " + quoted(host) + ";");
    line("    error_page 500 502 504 = @down;");
    for (const char* other : others) line(std::string("    location ^~ ") + other + " { return 404; }");
    line("    location / {\n      proxy_pass http://" + upstream + ";");
    line("      proxy_next_upstream error;\n      proxy_read_timeout 1h;\n      proxy_send_timeout 1h;");
    out_ += kForwarded.substr(1);
    line("      proxy_set_header X-Forwarded-Prefix \"\";\n    }");
    out_ += kDown.substr(1);
    line("  }");
  }

  // A host that is none of these names.
  void strangers() {
    std::vector<std::uint16_t> ports{plan_.https};
    for (const RoutedService& service : plan_.services) {
      if (service.port != 0) ports.push_back(service.port);
    }
    line("  server {");
    for (const std::uint16_t port : ports) listen(port, "ssl http2 default_server");
    out_ += R"(    server_name "";
    default_type application/json;
    location / {
      return 421 '{"object":"error","code":"MISDIRECTED","message":"this is not the host that was asked for","hint":"ask at a name that spl router status shows"}';
    }
  }
)";
  }

  void plain() {
    if (plan_.http == 0) return;
    line("  server {");
    listen(plan_.http, "default_server");
    line("    server_name \"\";\n    location / { return 421; }\n  }");
    line("  server {");
    listen(plan_.http, "");
    std::string hosts = names();
    for (const RoutedTenant& tenant : plan_.tenants)
      hosts += " " + quoted(tenant.host) + " " + quoted("*." + tenant.host);
    line("    server_name " + hosts + ";");
    if (!plan_.challenge_directory.empty())
      line("    location ^~ /.well-known/acme-challenge/ { alias " + quoted(plan_.challenge_directory + "/") +
           "; default_type text/plain; }");
    line("    location / { return 308 https://$host" +
         (plan_.https == 443 ? std::string() : ":" + std::to_string(plan_.https)) + "$request_uri; }");
    line("  }");
  }

  const RouterPlan& plan_;
  std::string out_;
};

}  // namespace

std::string nginx_config(const RouterPlan& plan) {
  return Writer(plan).text();
}

}  // namespace spl::router
