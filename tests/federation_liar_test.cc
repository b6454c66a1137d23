// A peer in the test's own hands, which answers what it likes: lies, garbage, nothing, or without end.
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <future>
#include <thread>

#include "base/progress.h"
#include "cli_harness.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "federation/documents.h"
#include "federation/seal.h"
#include "http/client.h"
#include "http/listener.h"
#include "http/wire.h"
#include "record/record.h"
#include "substrate/identity.h"

namespace spl::cli_test {
namespace {

struct Said {
  std::string content;
  int status = 200;
  bool is_signed = true;
  std::string more_length = {};  // another content-length than the content's
};

// Serves until it goes. `answer` is called by its threads, one connection at a time.
class Liar {
 public:
  using Answer = std::function<Said(const http::RequestHead&)>;
  Liar(env::Env env, const substrate::Identity& identity, Answer answer)
      : env_(env), identity_(identity), answer_(std::move(answer)) {
    listener_ = http::TcpListener::bind("127.0.0.1", 0, http::Exposure::kLoopbackOnly).value();
    thread_ = std::thread([this] { run(); });
  }
  ~Liar() {
    ::shutdown(listener_->socket.number(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_->port); }

 private:
  void run() {
    for (;;) {
      env::Descriptor socket(::accept4(listener_->socket.number(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket.is_open()) return;
      http::Channel channel(std::move(socket), env_.clock, nullptr);
      http::Wire wire(channel, env_.clock, {});
      while (serve(channel, wire)) {
      }
    }
  }
  bool serve(http::Channel& channel, http::Wire& wire) {
    const auto head = wire.read_request(std::chrono::seconds(5));
    if (!head) return false;
    http::BodySource source(wire);
    const auto body = base::read_all(source, 1u << 20);
    if (!body) return false;
    const Said said = answer_(*head);
    const std::string* audience = http::find_field(head->fields, federation::kAudienceField);
    http::Fields fields{
        {"content-length", said.more_length.empty() ? std::to_string(said.content.size()) : said.more_length}};
    if (said.is_signed && audience != nullptr) {
      const auto caller =
          federation::verified_request(*head, *body, *audience, federation::unix_seconds(env_.clock.now()));
      if (!caller) return false;
      const auto sealed = federation::seal_answer(said.status, said.content, identity_, *caller);
      fields.insert(fields.end(), sealed.begin(), sealed.end());
    }
    return channel.write_all({http::answer_text(said.status, fields), said.content}).has_value();
  }

  env::Env env_;
  const substrate::Identity& identity_;
  Answer answer_;
  std::optional<http::TcpListener> listener_;
  std::thread thread_;
};

class FederationLiarTest : public CliTest {
 protected:
  env::Env env() { return {fs_, clock_, random_, log_}; }

  // "b" has a pair with the liar, who answers with what `page` gives of the n-th page.
  void pair_with_liar(std::function<Said(int page)> page) {
    make_home("b", 2);
    const std::string did = text_of(json_on("b", {"identity", "show"}), "did");
    const std::uint64_t port = start_daemon("b");
    liar_ = std::make_unique<Liar>(env(), identity_, [this, page](const http::RequestHead& head) -> Said {
      if (!head.target.starts_with("/v1/sync/changes")) return {"{}"};
      return page(pages_++);
    });
    federation::Announcement announcement;
    announcement.did = identity_.did;
    announcement.base_url = liar_->url();
    announcement.sequence = 1;
    announcement.incarnation = std::string(32, 'a');
    announcement.issued_at = env::rfc3339(clock_.now());
    const codec::Json wish =
        codec::Json::Object{{"namespaces", codec::Json::Array{"default"}},
                            {"announcement", federation::sign_document(codec::shape_json(announcement), identity_)}};
    const federation::Request request{"POST", "/v1/federation/pair", wish.text()};
    const auto url = http::Url::parse("http://127.0.0.1:" + std::to_string(port)).value();
    const auto tls = http::TlsContext::for_client("").value();
    base::NoProgress none;
    const auto client = http::Client::connect(env(), url, *tls, none).value();
    const auto sealed = federation::seal_request(request, identity_, did, env());
    ASSERT_EQ(client->ask("POST", request.target, sealed.fields, request.content, 1u << 20).value().status, 202);
    json_on("b", {"aitl", "approve", text_of(json_on("b", {"aitl", "list"}).array()->front(), "id")});
    before_ = records();
  }
  std::uint64_t records() { return number_of(json_on("b", {"status"}), "record_count"); }
  Ran sync() { return on("b", {"sync", identity_.did}); }
  static Said page(const std::string& elements, const std::string& cursor, bool has_more) {
    return {"{\"records\":[" + elements + "],\"next_cursor\":\"" + cursor +
            "\",\"has_more\":" + (has_more ? "true}" : "false}")};
  }
  static std::string element(int clock, const std::string& thread = "th_x") {
    std::string text;
    const Record record = record::parse_record(record_text(thread, clock)).value();
    record::append_element(text, record.id, record.canonical, {}, {});
    return text;
  }

  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  substrate::Identity identity_ = substrate::generate_identity(env()).value();
  std::atomic<int> pages_ = 0;
  std::uint64_t before_ = 0;
  std::unique_ptr<Liar> liar_;
};

TEST_F(FederationLiarTest, BadRecordsAreRefusedAndTheRestGoesOn) {
  std::string wrong_id = element(1);
  wrong_id.replace(wrong_id.find("\"clock\":1"), 9, "\"clock\":2");
  pair_with_liar([&](int) {
    return page(element(3) + "," + wrong_id + ",17,{\"id\":\"x\"}," + element(4, "th_consent") + "," + element(5), "c",
                false);
  });
  const codec::Json report = json_on("b", {"sync", identity_.did});
  EXPECT_EQ(number_of(report, "inserted"), 2U);
  EXPECT_EQ(number_of(report, "refused"), 4U);
  EXPECT_EQ(records(), before_ + 2);
  const codec::Json pair = json_on("b", {"federation", "show", identity_.did});
  EXPECT_EQ(number_of(pair, "refused"), 4U);
  EXPECT_FALSE(text_of(pair, "last_refusal").empty());
}

TEST_F(FederationLiarTest, WhatIsNoPageEndsTheSyncAndLeavesNothing) {
  const std::vector<std::string> bad{"",
                                     "hello",
                                     "{}",
                                     "[]",
                                     R"({"records":{},"next_cursor":"c","has_more":false})",
                                     std::string(100'000, '['),
                                     R"({"records":[1)"};
  pair_with_liar([&](int n) { return Said{bad.at(static_cast<std::size_t>(n))}; });
  for (const std::string& text : bad) EXPECT_EQ(sync().code, 4) << text.substr(0, 80);
  EXPECT_EQ(records(), before_);
}

TEST_F(FederationLiarTest, AnAnswerThatIsNotSignedIsNone) {
  pair_with_liar([](int) {
    Said said = page(element(1), "c", false);
    said.is_signed = false;
    return said;
  });
  EXPECT_EQ(sync().code, 6);
  EXPECT_EQ(records(), before_);
}

TEST_F(FederationLiarTest, AnAnswerWithoutEndIsNotTaken) {
  pair_with_liar([](int) {
    Said said = page(element(1), "c", false);
    said.more_length = "99999999999";
    return said;
  });
  EXPECT_EQ(sync().code, 6);
  EXPECT_EQ(records(), before_);
}

TEST_F(FederationLiarTest, APageAgainAndAgainIsFoundOut) {
  pair_with_liar([](int) { return page(element(1), "c", true); });
  EXPECT_EQ(sync().code, 4);
  EXPECT_LE(pages_, 3);
  EXPECT_EQ(records(), before_ + 1) << "what was good stays";
}

TEST_F(FederationLiarTest, KnownRecordsWithoutEndAreFoundOut) {
  pair_with_liar([](int n) { return page(element(1) + "," + element(2), "c" + std::to_string(n), true); });
  EXPECT_EQ(sync().code, 4);
  EXPECT_LT(pages_, 20);
}

TEST_F(FederationLiarTest, EmptyPagesWithoutEndAreFoundOut) {
  pair_with_liar([](int n) { return page("", "c" + std::to_string(n), true); });
  EXPECT_EQ(sync().code, 4);
  EXPECT_LT(pages_, 1100);
}

TEST_F(FederationLiarTest, MoreThanWasAskedForIsNoPage) {
  std::string elements;
  for (int i = 0; i < 10'001; ++i) elements += (i > 0 ? "," : "") + element(i);
  pair_with_liar([&](int) { return page(elements, "c", false); });
  EXPECT_EQ(sync().code, 4);
  EXPECT_EQ(records(), before_);
}

TEST_F(FederationLiarTest, ASyncThatBrokeOffGoesOnWhereItWas) {
  bool broken = true;
  pair_with_liar([&](int n) -> Said {
    if (n == 0) return page(element(1), "second", true);
    if (broken) return {"no page"};
    return page(element(2), "third", false);
  });
  EXPECT_EQ(sync().code, 4);
  EXPECT_EQ(records(), before_ + 1);
  broken = false;
  EXPECT_EQ(sync().code, 0);
  EXPECT_EQ(records(), before_ + 2);
  EXPECT_EQ(pages_, 3) << "the first page was not asked for again";
}

TEST_F(FederationLiarTest, OneThatNeverAnswersCanBeLeft) {
  std::promise<void> asked;
  std::promise<void> left;
  pair_with_liar([&](int) {
    asked.set_value();
    left.get_future().wait();
    return page("", "c", false);
  });
  on("b", {"stop"});
  Process syncing({"--home", path("b"), "sync"});
  asked.get_future().wait();
  ::kill(syncing.pid(), SIGINT);
  EXPECT_EQ(syncing.wait().code, 130);
  left.set_value();
  EXPECT_EQ(records(), before_);
}

}  // namespace
}  // namespace spl::cli_test
