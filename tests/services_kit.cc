#include "services_kit.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "surface/redis/redis_connection.h"

namespace spl::cli_test {
namespace {

// Makes what a server begins with; initdb once for all tests of this user, copied from then on. The directory is
// another's where somebody else was there first.
constexpr char kInitPostgres[] = R"sh(#!/bin/sh
set -e
data=$1 bin=$2
made=/tmp/spl-pg-kit-$(id -u)-$(basename "$(dirname "$bin")")
if ! [ -O "$made" ]; then
  "$bin/initdb" -D "$data/new" -U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8
  printf 'local all postgres,app trust\nlocal all all scram-sha-256\n' >"$data/new/pg_hba.conf"
  printf 'CREATE ROLE app LOGIN;\n\nCREATE DATABASE app OWNER app;\n\n' |
    "$bin/postgres" --single -j -D "$data/new" postgres
  mv -T "$data/new" "$made" || made=$data/new
fi
cp -a "$made" "$data/cluster"
rm -rf "$data/new"
)sh";

std::string without_last_newlines(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

const char* const kPythonClients = R"py(#!/usr/bin/python3
import socket, subprocess, sys

def redis_client(path):
    server = socket.socket(socket.AF_UNIX)
    server.connect(path)
    stream = server.makefile("rb")
    def ask(*words):
        text = b"*%d\r\n" % len(words)
        for word in words:
            word = str(word).encode()
            text += b"$%d\r\n%s\r\n" % (len(word), word)
        server.sendall(text)
        line = stream.readline()
        if line[:1] == b"$" and line[1:2] != b"-":
            return stream.read(int(line[1:]) + 2)[:-2].decode()
        if line[:1] == b"-":
            sys.exit(line.decode())
        return line[1:-2].decode()
    return ask

def psql_client(directory, user):
    psql = subprocess.Popen(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", directory, "-U", user, "-d", "app"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    def ask(sql):
        psql.stdin.write(sql + "; SELECT '.';\n")
        psql.stdin.flush()
        lines = []
        while True:
            line = psql.stdout.readline()
            if line == "":
                sys.exit("no PostgreSQL")
            if line == ".\n":
                return lines
            lines.append(line.strip())
    ask("SET client_min_messages = error")
    return ask
)py";

void wait_until(const std::function<bool()>& is_so, const std::string& what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!is_so()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::string postgres_binaries() {
  std::string newest;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql"))
    newest = std::max(newest, (entry.path() / "bin").string());
  return newest;
}

std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

ServicesKit::ServicesKit() {
  // Services run as users of their own, who pass through.
  EXPECT_EQ(::chmod(path(".").c_str(), 0711), 0);
}

ServicesKit::~ServicesKit() {
  for (const std::string& home : homes_) (void)ask(home, {"service", "all", "stop"});
}

void ServicesKit::init(const std::string& home) {
  homes_.push_back(home);
  ASSERT_EQ(ask(home, {"init"}).code, 0);
}

void ServicesKit::declare(const std::string& home, const std::string& name, const std::string& rest) {
  write_file(path(home) + "/services/" + name + ".toml", "name = \"" + name + "\"\n" + rest);
}

std::string ServicesKit::write_script(const std::string& name, const std::string& text) {
  write_file(path(name), text);
  EXPECT_EQ(::chmod(path(name).c_str(), 0755), 0);
  return path(name);
}

void ServicesKit::add_contexts(const std::string& home, const std::vector<std::string>& names) {
  for (const std::string& name : names) ASSERT_EQ(ask(home, {"context", "add", name}).code, 0);
}

void ServicesKit::start(const std::string& home) {
  const Ran ran = ask(home, {"service", "all", "start"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
}

Ran ServicesKit::ask(const std::string& home, const Words& words) {
  return on(home, words, {.environment = environment_});
}

Ran ServicesKit::backup(const std::string& home, const std::string& file, const Words& more) {
  Words words{"service", "all", "backup", "--to", path(file), "--plaintext", "--force"};
  words.insert(words.end(), more.begin(), more.end());
  return ask(home, words);
}

Ran ServicesKit::restore(const std::string& home, const std::string& file, const Words& more) {
  Words words{"service", "all", "restore", "--from", path(file)};
  words.insert(words.end(), more.begin(), more.end());
  return ask(home, words);
}

void ServicesKit::declare_cache(const std::string& home, const std::string& more_arguments) {
  declare(home, "cache",
          "version = \"7\"\n[run]\n"
          "command = [\"/usr/bin/redis-server\", \"--port\", \"0\", \"--unixsocket\", \"{run}/redis.sock\",\n"
          "  \"--dir\", \"{data}\", \"--save\", \"3600 1\", \"--logfile\", \"\"" +
              more_arguments + "]\n" + "health = \"unix:{run}/redis.sock\"\n");
}

void ServicesKit::declare_postgres(const std::string& home) {
  const std::string init = write_script("init-postgres", kInitPostgres);
  const std::string bin = postgres_binaries();
  declare(home, "pg",
          "version = \"15\"\n[run]\n" + std::string(::geteuid() == 0 ? "user = \"postgres\"\n" : "") + "command = [\"" +
              bin +
              "/postgres\", \"-D\", \"{data}/cluster\", \"-k\", \"{run}\", \"-c\", \"listen_addresses=\",\n"
              "  \"-c\", \"fsync=off\", \"-c\", \"shared_buffers=16MB\"]\n"
              "init = [\"" +
              init + "\", \"{data}\", \"" + bin +
              "\"]\nstop_signal = \"INT\"\nhealth = \"unix:{run}/.s.PGSQL.5432\"\n"
              "listen = [\"unix:{run}/.s.PGSQL.5432\"]\n");
}

std::string ServicesKit::run_directory(const std::string& home, const std::string& service) const {
  return path(home) + "/run/services/" + service;
}

std::string ServicesKit::postgres_urls(const std::string& home) const {
  const std::string host = run_directory(home, "pg");
  return "url = \"postgresql:///app?host=" + host + "&user=app\"\nadmin_url = \"postgresql:///postgres?host=" + host +
         "&user=postgres\"\n";
}

std::string ServicesKit::output_of(const std::string& command) {
  const std::string file = path("output");
  return shell("{ " + command + "\n} >" + file + " 2>/dev/null") == 0 ? without_last_newlines(read_file(file)) : "?";
}

std::string ServicesKit::psql(const std::string& home, const std::string& sql, const std::string& user) {
  return output_of("psql -XAtq -v ON_ERROR_STOP=1 -h " + run_directory(home, "pg") + " -U " + user + " -d app -c " +
                   quoted(sql));
}

std::string ServicesKit::redis(const std::string& home, const std::string& words) {
  return output_of("redis-cli -s " + cache_socket(home) + " " + words);
}

std::string ServicesKit::ask_redis(const std::string& home, std::uint32_t database,
                                   std::initializer_list<std::string_view> words) {
  surface::RedisAddress address;
  address.socket = cache_socket(home);
  auto server = surface::RedisConnection::open(address);
  EXPECT_TRUE(server) << server.error().message;
  if (!server) return "";
  EXPECT_TRUE(server->select(database));
  const auto reply = server->ask(words);
  EXPECT_TRUE(reply) << reply.error().message;
  if (!reply) return "";
  return reply->text().empty() && !reply->is_null() ? std::to_string(reply->integer()) : std::string(reply->text());
}

std::string ServicesKit::left(const std::string& home) {
  std::string found;
  if (exists(path(home) + "/services/pg.toml")) {
    found += psql(home,
                  "SELECT datname FROM pg_database WHERE datname LIKE 'spl%' UNION ALL SELECT nspname FROM "
                  "pg_namespace WHERE nspname LIKE 'spl%' UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE "
                  "'spl%'",
                  "postgres");
  }
  if (exists(path(home) + "/services/cache.toml")) {
    for (int i = 0; i < 16; ++i) found += redis(home, "-n " + std::to_string(i) + " KEYS 'spl:*'");
  }
  for (const std::string& name : names_in(path(home) + "/run")) {
    if (name.starts_with("r-") || name.starts_with("b-") || name == "pause.json") found += " " + name;
  }
  return found;
}

}  // namespace spl::cli_test
