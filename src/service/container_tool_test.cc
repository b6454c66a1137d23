// What podman and docker say, read strictly: whatever cannot be of one container is an error.
#include "service/container_tool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace spl::service {
namespace {

using ::testing::HasSubstr;

const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

// As podman 4.3 and docker 20.10 say it, without what is not looked at.
std::string inspected(const std::string& from = "", const std::string& to = "") {
  std::string text = R"([{"Id":")" + kId +
                     R"(","Name":"box","State":{"OciVersion":"1.0","Status":"running",)"
                     R"("Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,"Pid":412,"ExitCode":0},)"
                     R"("Config":{"Labels":{"a":"b"},"Env":["X=\u0001\ud83d\ude00"]},)"
                     R"("HostConfig":{"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":3}}}])";
  if (from.empty()) return text;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ContainerTool, NamesOfContainers) {
  for (const char* name : {"a", "notes", "Notes_1.x-y", "0"}) EXPECT_TRUE(is_container_name(name)) << name;
  for (const char* name : {"", "-a", "--all", ".a", "_a", "a/b", "a b", "a*", "a^", "a$", "a\n", "ä", "a:b", "a@b"})
    EXPECT_FALSE(is_container_name(name)) << name;
  EXPECT_FALSE(is_container_name(std::string(300, 'a')));
}

TEST(ContainerTool, WhatIsSaidOfOneThatRuns) {
  const auto state = parse_container_state(inspected());
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->id, kId);
  EXPECT_TRUE(state->runs);
  EXPECT_FALSE(state->is_paused);
  EXPECT_EQ(state->pid, 412);
  EXPECT_EQ(state->restart.text(), "on-failure:3");
  EXPECT_FALSE(state->restart.comes_back());
  EXPECT_EQ(state->unit, "");
}

TEST(ContainerTool, OneThatIsPausedRunsWhateverItsProgramCallsThat) {
  for (const char* said : {R"("Running":true,"Paused":true)", R"("Running":false,"Paused":true)"}) {
    const auto state = parse_container_state(inspected(R"("Running":true,"Paused":false)", said));
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_TRUE(state->runs);
    EXPECT_TRUE(state->is_paused);
  }
}

TEST(ContainerTool, WhoElseRunsIt) {
  const auto by_unit = parse_container_state(inspected(R"("a":"b")", R"("PODMAN_SYSTEMD_UNIT":"box.service")"));
  ASSERT_TRUE(by_unit);
  EXPECT_EQ(by_unit->unit, "box.service");
  const auto by_daemon = parse_container_state(inspected("on-failure", "unless-stopped"));
  ASSERT_TRUE(by_daemon);
  EXPECT_TRUE(by_daemon->restart.comes_back());
  EXPECT_EQ(by_daemon->restart.text(), "unless-stopped");
  const auto by_nobody = parse_container_state(inspected(R"("Name":"on-failure")", R"("Name":"")"));
  ASSERT_TRUE(by_nobody);
  EXPECT_EQ(by_nobody->restart.text(), "no");
  EXPECT_TRUE(parse_container_state(inspected(R"({"a":"b"})", "null"))) << "no labels";
}

TEST(ContainerTool, WhatCannotBeOfOneContainerIsNoAnswer) {
  const std::string whole = inspected();
  for (const std::string& said :
       std::initializer_list<std::string>{"",
                                          "[]",
                                          "{}",
                                          "null",
                                          "[null]",
                                          "[1]",
                                          "Error: no such container\n",
                                          whole.substr(0, whole.size() - 1),
                                          whole + whole,
                                          "[" + whole + "]",
                                          "[" + whole.substr(1, whole.size() - 2) + "," + whole.substr(1),
                                          inspected(kId, ""),
                                          inspected(kId, "--all"),
                                          inspected(kId, kId.substr(1)),
                                          inspected(kId, kId + "0"),
                                          inspected(kId.substr(0, 4), "01-3"),
                                          inspected("\"Id\"", "\"ID\""),
                                          inspected("\"Running\":true", "\"a\":1"),
                                          inspected("\"Running\":true", "\"Running\":\"true\""),
                                          inspected("\"Running\":true", "\"Running\":1"),
                                          inspected("\"Running\":true", "\"Running\":true,\"Running\":false"),
                                          inspected("\"Paused\":false", "\"Paused\":null"),
                                          inspected("\"Restarting\":false", "\"x\":false"),
                                          inspected("412", "-1"),
                                          inspected("412", "1.5"),
                                          inspected("412", "99999999999"),
                                          inspected("412", "\"1\""),
                                          inspected("\"Pid\":412", "\"P\":1"),
                                          inspected("on-failure", "for-ever"),
                                          inspected("\"on-failure\"", "null"),
                                          inspected(",\"MaximumRetryCount\":3", ",\"MaximumRetryCount\":-3"),
                                          inspected("\"RestartPolicy\"", "\"Policy\""),
                                          inspected("\"HostConfig\"", "\"Host\"")}) {
    const auto state = parse_container_state(said);
    ASSERT_FALSE(state) << said;
    EXPECT_EQ(state.error().code, ErrorCode::kUnavailable) << said;
    EXPECT_THAT(state.error().message, HasSubstr("cannot be understood")) << said;
  }
  // Deep enough to overflow the stack of a reader that follows it.
  EXPECT_FALSE(parse_container_state(std::string(100000, '[')));
}

TEST(ContainerTool, IdsAreReadOneALine) {
  EXPECT_EQ(parse_container_id("").value(), std::nullopt);
  EXPECT_EQ(parse_container_id("\n").value(), std::nullopt);
  EXPECT_EQ(parse_container_id(kId + "\n").value(), kId);
  for (const std::string& said : {kId + "\n" + kId + "\n", kId.substr(1), " " + kId, std::string("--all\n"),
                                  std::string("CONTAINER ID\n"), kId + "\r\n"})
    EXPECT_FALSE(parse_container_id(said)) << said;
}

}  // namespace
}  // namespace spl::service
