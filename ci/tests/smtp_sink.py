# SPDX-License-Identifier: BSD-2-Clause
"""An SMTP server that keeps what it is given, for tests that need no fake Internet. No TLS, no limits: loopback only."""
import asyncio
import socket


class Transaction:
    """One message on one connection."""

    def __init__(self, sender):
        self.sender, self.recipients, self.content = sender, [], b""
        self.heard_after = False  # has the client said anything after our reply to the final dot?


class Sink:
    """refused: recipients that get a 550. before_reply(transaction): called when a message is whole, before its 250;
    before_refusal(): before that 550."""

    def __init__(self, refused=(), before_reply=lambda transaction: None, before_refusal=lambda: None):
        self.refused, self.before_reply, self.before_refusal = refused, before_reply, before_refusal
        self.taken, self.sessions, self.most_sessions = [], 0, 0

    async def listen(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 20)
        return server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        self.sessions += 1
        self.most_sessions = max(self.sessions, self.most_sessions)
        try:
            await self.converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.sessions -= 1
            writer.close()

    async def converse(self, reader, writer):
        mail = last = None
        writer.write(b"220 sink.example ESMTP\r\n")
        while True:
            line = await reader.readuntil(b"\r\n")
            if last is not None:
                last.heard_after = True
            verb, reply = line[:4].upper(), b"250 2.0.0 ok"
            if verb == b"EHLO":
                reply = b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME"
            elif verb == b"MAIL":
                mail = Transaction(address(line))
            elif verb == b"RCPT":
                if address(line) in self.refused:
                    self.before_refusal()
                    reply = b"550 5.1.1 no such user"
                else:
                    mail.recipients.append(address(line))
            elif verb == b"DATA":
                if mail is None or not mail.recipients:
                    reply = b"554 5.5.1 no valid recipients"
                else:
                    writer.write(b"354 go on\r\n")
                    await self.take(reader, mail)
                    last = mail
            elif verb == b"QUIT":
                writer.write(b"221 2.0.0 bye\r\n")
                return
            writer.write(reply + b"\r\n")
            await writer.drain()

    async def take(self, reader, mail):
        while (line := await reader.readuntil(b"\r\n")) != b".\r\n":
            mail.content += line[1:] if line.startswith(b".") else line
        self.taken.append(mail)
        self.before_reply(mail)


def address(line):
    return line[line.index(b"<") + 1:line.index(b">")].decode()


reserved = []


def free_port():
    """Below the ports that the kernel gives out by itself, and by a name reserved against tests that run beside this."""
    for port in range(20000, 30000):
        with socket.socket() as probe:
            name = socket.socket(socket.AF_UNIX)
            try:
                name.bind("\0mtalab-test-port-%d" % port)
                probe.bind(("127.0.0.1", port))
            except OSError:
                name.close()
                continue
            reserved.append(name)
            return port
    raise OSError("no port is free")
