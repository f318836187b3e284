# SPDX-License-Identifier: BSD-2-Clause
"""Kill -9 at random moments under load: no accepted message is lost, and one is delivered twice only where the reply to
its final dot was in flight. Usage: crash.py RUNS [SEED]; 0 if that holds.

One queue goes through all the runs: each starts the engine on what the last one left, feeds it, and kills it at a time,
at a message being given to it, or at one being taken from it; in some of them mail goes out, in others it has to wait.
What is left at last is delivered in peace."""
import asyncio
import os
import random
import shutil
import sys
import tempfile

from smtp_sink import Sink, free_port

ENGINE = os.environ.get("MTALAB_ENGINE", "build/bin/mtalab-engine")
SENDERS, LONGEST_S, EVENTS = 3, 0.25, 40


class Driver:
    def __init__(self, directory, seed):
        self.directory, self.random = directory, random.Random(seed)
        self.config = directory + "/engine.yaml"
        self.given = self.unsure = 0
        self.accepted = set()
        self.doubtful = set()  # given whole, but not answered
        self.sink = Sink(before_reply=lambda transaction: self.count_down("taken"))
        self.engine = self.kill_at = None

    # ---- the engine

    async def start(self):
        self.engine = await asyncio.create_subprocess_exec(
            ENGINE, "run", self.config, "--ready-fd", "1", stdout=asyncio.subprocess.PIPE)
        assert await self.engine.stdout.readline() == b"ready\n", "the engine does not start"

    def kill(self):
        if self.engine.returncode is None:
            self.engine.kill()

    def count_down(self, event):
        if self.kill_at is not None and self.kill_at[0] == event:
            self.kill_at = (event, self.kill_at[1] - 1)
            if self.kill_at[1] == 0:
                self.kill()

    # ---- who gives it mail

    async def give(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await reply(reader)
            await say(reader, writer, b"EHLO client.example\r\n")
            while True:
                await self.give_one(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def give_one(self, reader, writer):
        self.given += 1
        token = "token-%d" % self.given
        to = "user%d@d%d.example" % (self.given, self.given % 7)
        await say(reader, writer, b"MAIL FROM:<s@sender.example>\r\n")
        await say(reader, writer, b"RCPT TO:<%s>\r\n" % to.encode())
        await say(reader, writer, b"DATA\r\n")
        writer.write(b"Subject: %s\r\n\r\nhello\r\n.\r\n" % token.encode())
        self.doubtful.add(token)
        self.count_down("given")
        code = await reply(reader)
        self.doubtful.discard(token)
        if code.startswith(b"250"):
            self.accepted.add(token)

    # ---- a run

    async def run(self, port):
        how = self.random.choice(["time", "given", "taken"])
        self.kill_at = (how, self.random.randint(1, EVENTS))
        await self.start()
        givers = [asyncio.create_task(self.give(port)) for _ in range(SENDERS)]
        # Where the event does not come, the time is up all the same.
        timer = asyncio.get_running_loop().call_later(
            self.random.uniform(0, LONGEST_S) if how == "time" else 2 * LONGEST_S, self.kill)
        await self.engine.wait()
        timer.cancel()
        self.kill_at = None
        await asyncio.gather(*givers, return_exceptions=True)

    async def drain(self):
        await self.start()
        flush = await asyncio.create_subprocess_exec(ENGINE, "flush", "--config", self.config)
        assert await flush.wait() == 0, "flush"
        self.engine.terminate()
        await self.engine.wait()

    def route(self, port, sink):
        with open(self.config, "w", encoding="ascii") as out:
            out.write("hostname: relay.example\ndirectory: %s/queue\nlisten: 127.0.0.1:%d\ncontrol: %s/control\n"
                      "connectors:\n  - {name: out, recipient-domains: '*', smart-hosts: '127.0.0.1:%d'}\n"
                      % (self.directory, port, self.directory, sink))

    async def main(self, runs):
        sink, port, nowhere = await self.sink.listen(), free_port(), free_port()
        for _ in range(runs):
            self.route(port, self.random.choice([sink, nowhere]))
            await self.run(port)
        self.route(port, sink)
        await self.drain()
        return self.judge(runs)

    # ---- the judgement

    def judge(self, runs):
        times = {}
        for mail in self.sink.taken:
            times.setdefault(token_of(mail), []).append(mail)
        lost = sorted(self.accepted - times.keys())
        twice = {token for token, mails in times.items() if len(mails) > 1}
        # Whoever has heard our 250 and said something more knew that the message was delivered.
        wrong = sorted(token for token in twice if sum(mail.heard_after for mail in times[token][:-1]) > 0)
        unasked = sorted(times.keys() - self.accepted - self.doubtful)
        print("%d runs ended by kill -9: %d messages accepted, %d given without an answer, %d deliveries"
              % (runs, len(self.accepted), len(self.doubtful), len(self.sink.taken)))
        print("lost: %d; delivered twice with the reply in flight: %d, otherwise: %d; never given: %d"
              % (len(lost), len(twice) - len(wrong), len(wrong), len(unasked)))
        for what, tokens in ("lost", lost), ("delivered twice", wrong), ("never given", unasked):
            for token in tokens[:5]:
                print("FAILED %s: %s" % (what, token))
        return not (lost or wrong or unasked)


async def reply(reader):
    while True:
        line = await reader.readuntil(b"\r\n")
        if line[3:4] != b"-":
            return line


async def say(reader, writer, line):
    writer.write(line)
    return await reply(reader)


def token_of(mail):
    at = mail.content.index(b"Subject: ") + len(b"Subject: ")
    return mail.content[at:mail.content.index(b"\r\n", at)].decode()


def main():
    runs, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    directory = tempfile.mkdtemp(prefix="mtalab-crash-")
    print("seed %d" % seed)
    try:
        fine = asyncio.run(Driver(directory, seed).main(runs))
    finally:
        shutil.rmtree(directory)
    return 0 if fine else 1


sys.exit(main())
