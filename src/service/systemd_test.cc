// What systemctl says, read strictly: whatever is no answer to what was asked is an error.
#include "service/systemd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace spl::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kRunning[] =
    "Id=notes.service\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nMainPID=412\n"
    "ControlGroup=/system.slice/notes.service\nTriggeredBy=notes.socket notes.timer\n"
    "DropInPaths=/etc/systemd/system/notes.service.d/a.conf\n";

TEST(Systemd, NamesOfServiceUnits) {
  for (const char* name : {"notes.service", "a.service", "notes@one.service", "postgresql@15-main.service",
                           "a\\x2db.service", "A:b_c.d.service"})
    EXPECT_TRUE(is_service_unit(name)) << name;
  for (const std::string name : {"",
                                 ".service",
                                 "notes",
                                 "notes.socket",
                                 "-notes.service",
                                 "--now.service",
                                 "a/b.service",
                                 "../a.service",
                                 "notes*.service",
                                 "n?.service",
                                 "[n].service",
                                 "a b.service",
                                 "notes@.service",
                                 "@one.service",
                                 "a\n.service",
                                 "notes.service\n",
                                 "a=b.service",
                                 "$(a).service",
                                 "%n.service",
                                 ".a.service",
                                 "ä.service"})
    EXPECT_FALSE(is_service_unit(name)) << name;
  EXPECT_FALSE(is_service_unit(std::string("a\0.service", 10)));
  EXPECT_FALSE(is_service_unit(std::string(300, 'a') + ".service"));
}

TEST(Systemd, WhatItSaysOfAUnitThatRuns) {
  const auto state = parse_unit_state(kRunning);
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->id, "notes.service");
  EXPECT_EQ(state->main_pid, 412);
  EXPECT_EQ(state->control_group, "/system.slice/notes.service");
  EXPECT_THAT(state->triggered_by, ElementsAre("notes.socket", "notes.timer"));
  EXPECT_TRUE(state->runs());
  EXPECT_FALSE(state->has_ended());
}

TEST(Systemd, WhatItSaysOfAUnitThatIsNotThere) {
  const auto state = parse_unit_state(
      "Id=nope.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nMainPID=0\n"
      "ControlGroup=\nTriggeredBy=\nDropInPaths=\n");
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->load, "not-found");
  EXPECT_TRUE(state->has_ended());
  EXPECT_EQ(state->main_pid, 0);
  EXPECT_TRUE(state->triggered_by.empty());
}

TEST(Systemd, WhatNobodyAskedForIsNoAnswer) {
  const std::string head = "Id=a.service\nLoadState=loaded\nActiveState=active\nSubState=running\n";
  ASSERT_TRUE(parse_unit_state(head));
  for (const std::string& said :
       std::initializer_list<std::string>{"",
                                          "\n",
                                          "a",
                                          "=",
                                          "=x\n",
                                          "System has not been booted with systemd as init system (PID 1).\n",
                                          "Id=a.service\n",
                                          "LoadState=loaded\nActiveState=active\nSubState=running\n",
                                          "Id=\nLoadState=loaded\nActiveState=active\nSubState=running\n",
                                          "Id=../a.service\nLoadState=loaded\nActiveState=active\nSubState=running\n",
                                          head + "Id=b.service\n",
                                          head + "MainPID=1\nMainPID=2\n",
                                          head + "Description=a\n",
                                          head + "MainPID=x\n",
                                          head + "MainPID=-1\n",
                                          head + "MainPID=1 2\n",
                                          head + "MainPID=99999999999999999999\n",
                                          head + "ControlGroup=a\n",
                                          head + "ControlGroup=/\n",
                                          head + "ControlGroup=/a/../../b\n",
                                          head + "ControlGroup=/..\n",
                                          head + "TriggeredBy=--now\n",
                                          head + "TriggeredBy=a/b.socket\n",
                                          head + "mainpid=1\n",
                                          head + std::string("SubState\0=a\n", 12),
                                          head + std::string("MainPID=1\0\n", 11)}) {
    const auto state = parse_unit_state(said);
    ASSERT_FALSE(state) << said;
    EXPECT_EQ(state.error().code, ErrorCode::kUnavailable) << said;
    EXPECT_THAT(state.error().message, HasSubstr("cannot be understood")) << said;
  }
}

}  // namespace
}  // namespace spl::service
