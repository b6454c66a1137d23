"""A client of XMPP:  NAME PASSWORD  roster | befriend JID | count JID | receive"""
import asyncio
import logging
import sys

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout

name, password, what, *more = sys.argv[1:]
logging.disable(logging.ERROR)


class Client(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__(f"{name}@localhost/{what}", password)
        self.register_plugin("xep_0199")
        self.code = 1
        self.numbers = []
        self.add_event_handler("session_start", self.session)
        self.add_event_handler("failed_all_auth", lambda _: self.disconnect(0))
        self.add_event_handler("message", lambda m: self.numbers.append(int(m["body"].removeprefix("n "))))

    async def session(self, _):
        if what == "roster":
            await self.get_roster()
            for jid in sorted(self.client_roster.keys()):
                item = self.client_roster[jid]
                print(jid, item["subscription"], item["name"])
        elif what == "befriend":
            await self.get_roster()
            await self.update_roster(more[0], name="A friend", groups=["friends"])
        elif what == "count":
            n = 0
            while True:
                n += 1
                self.send_message(mto=more[0], mbody=f"n {n}", mtype="chat")
                await self["xep_0199"].send_ping("localhost", timeout=60)  # it has been taken in
                with open("/written", "a") as file:
                    file.write(f"{n}\n")
        elif what == "receive":
            self.send_presence()
            await self["xep_0199"].send_ping("localhost", timeout=60)
            await asyncio.sleep(0)
            before = -1
            while before != len(self.numbers):
                before = len(self.numbers)
                await self["xep_0199"].send_ping("localhost", timeout=60)
            print(*self.numbers, sep="\n")
        self.code = 0
        self.disconnect()


client = Client()
client.connect(("127.0.0.1", 5222), disable_starttls=True, use_ssl=False)
client.process(forever=False)
sys.exit(client.code)
