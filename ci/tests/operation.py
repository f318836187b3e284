# SPDX-License-Identifier: BSD-2-Clause
"""What an administrator does with a running engine, and what its reports look like to a MIME reader that is not ours.
On loopback, without DNS: connectors send to servers of this test, or where nobody listens."""
import asyncio
import email
import email.policy
import json
import os
import resource
import shutil
import signal
import smtplib
import ssl
import subprocess
import sys
import tempfile

from smtp_sink import Sink, free_port

ENGINE = os.environ.get("MTALAB_ENGINE", "build/bin/mtalab-engine")
MINUTE, HOUR, DAY = 60, 3600, 86400
MAIL = "From: alice@home.example\r\nTo: %s\r\nSubject: a question\r\nMessage-ID: <1@home.example>\r\n\r\nsecret\r\n"


class Bench:
    """An engine with two paths: home.example goes to the sink, everything else where route() says."""

    def __init__(self, directory):
        self.directory, self.config = directory, directory + "/engine.yaml"
        self.sink = Sink(refused=["gone@x.example"])
        self.engine = None

    async def open(self):
        self.sink_port, self.nowhere = await self.sink.listen(), free_port()
        self.port = free_port()
        self.route(self.sink_port)
        await self.start()

    def route(self, port, more=""):
        with open(self.config, "w", encoding="ascii") as out:
            out.write("hostname: relay.example\ndirectory: %s\nlisten: 127.0.0.1:%d\nfsync: no\n%sconnectors:\n"
                      "  - {name: home, recipient-domains: home.example, smart-hosts: '127.0.0.1:%d'}\n"
                      "  - {name: out, recipient-domains: '*', smart-hosts: '127.0.0.1:%d'}\n"
                      % (self.directory, self.port, more, self.sink_port, port))

    async def start(self):
        self.engine = await asyncio.create_subprocess_exec(
            ENGINE, "run", self.config, "--ready-fd", "1", stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE)
        assert await self.engine.stdout.readline() == b"ready\n", "the engine does not start"

    async def stop(self):
        self.engine.terminate()
        await self.engine.wait()

    async def command(self, *words, fails=False):
        child = await asyncio.create_subprocess_exec(
            ENGINE, *words, "--config", self.config, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        out, err = await child.communicate()
        assert (child.returncode != 0) == fails, "%s: %d %s" % (words, child.returncode, err.decode())
        return (err if fails else out).decode()

    async def json(self, *words):
        return json.loads(await self.command(*words, "--json"))

    async def ask(self, fails=False, **request):
        reader, writer = await asyncio.open_unix_connection(self.directory + "/control", limit=1 << 24)
        writer.write(json.dumps(request).encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        assert answer["ok"] != fails, answer
        return answer

    async def give(self, sender, *recipients):
        """By SMTP; comes back when the first attempt is over."""
        await asyncio.to_thread(self.submit, sender, *recipients)
        await self.ask(do="wait")

    def submit(self, sender, *recipients):
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            client.sendmail(sender, recipients, (MAIL % ", ".join(recipients)).encode())

    def taken(self, recipient):
        return [mail for mail in self.sink.taken if recipient in mail.recipients]

    async def states(self):
        return {row["recipient"]: row["state"] for row in await self.json("status")}


def report_of(mail):
    """The three parts of a report: text, fields of the message and of each recipient, original."""
    report = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert not report.defects and report.get_content_type() == "multipart/report", report.defects
    assert report.get_param("report-type") == "delivery-status"
    text, status, original = report.get_payload()
    assert status.get_content_type() == "message/delivery-status" and not status.defects
    return report, text.get_content(), status.get_payload(), original


# ---- what is shown

async def a_refusal_is_reported(b):
    await b.give("alice@home.example", "gone@x.example", "bob@x.example")
    mail, = b.taken("alice@home.example")
    report, text, (message, recipient), original = report_of(mail)
    assert mail.sender == "" and report["To"].addresses[0].addr_spec == "alice@home.example"
    assert report["Auto-Submitted"] == "auto-replied" and report["In-Reply-To"] == "<1@home.example>"
    assert report["Subject"] == "Undeliverable: a question"
    assert message["Reporting-MTA"] == "dns; relay.example" and message["Arrival-Date"].endswith("+0000")
    assert recipient["Final-Recipient"] == "rfc822; gone@x.example" and recipient["Action"] == "failed"
    assert recipient["Status"] == "5.1.1" and recipient["Diagnostic-Code"] == "smtp; 550 5.1.1 no such user"
    assert recipient["Remote-MTA"] == "dns; 127.0.0.1", recipient["Remote-MTA"]
    assert "gone@x.example" in text and "bob@x.example" not in text
    assert original.get_content_type() == "text/rfc822-headers"
    assert "a question" in original.get_content() and "secret" not in original.get_content()
    assert len(b.taken("bob@x.example")) == 1


async def the_message_is_returned_where_that_is_set(b):
    b.route(b.sink_port, "report-original: message\n")
    await b.command("reload")
    await b.give("alice@home.example", "gone@x.example")
    original = report_of(b.taken("alice@home.example")[0])[3]
    assert original.get_content_type() == "message/rfc822"
    assert original.get_content().get_content().strip() == "secret"


async def tried_for_a_day_then_reported(b):
    b.route(b.nowhere)
    await b.command("reload")
    await b.give("alice@home.example", "late@x.example")
    first, = await b.json("trace", "late@x.example")
    for pause in [15 * MINUTE] * 2 + [HOUR] * 23:
        await b.ask(do="advance", seconds=pause)
        assert b.taken("alice@home.example") == []
    await b.ask(do="advance", seconds=HOUR / 2)
    events = await b.json("trace", "--events", "--recipient", "late@x.example")
    times = [round((e["at"] - first["received"]) / MINUTE) for e in events if e["event"] in ("Defer", "Fail")]
    assert times == [0, 15, 30] + [90 + 60 * i for i in range(23)] + [1440], times
    mail, = b.taken("alice@home.example")
    _, text, (message, recipient), _ = report_of(mail)
    assert recipient["Status"] == "5.4.316", recipient["Status"]
    assert recipient["Diagnostic-Code"].startswith("smtp; 550 5.4.316 Message expired, connection refused")
    assert "'450 4.4.316 Connection refused" in text, text
    row, = await b.json("trace", "late@x.example", "--status", "failed")
    assert row["attempts"] == 27 and row["connector"] == "out" and row["code"] == "5.4.316"


async def the_null_sender_gets_no_report(b):
    b.route(b.nowhere)
    await b.command("reload")
    await b.give("", "late@x.example")
    await b.ask(do="advance", seconds=DAY)
    assert (await b.states())["late@x.example"] == "bounced"
    assert b.sink.taken == [] and await b.json("queue") == []


async def a_report_that_fails_is_not_reported(b):
    b.route(b.nowhere)
    await b.command("reload")
    await b.give("carol@x.example", "late@x.example")
    await b.ask(do="advance", seconds=DAY)
    assert [row["recipient"] for row in await b.json("queue")] == ["carol@x.example"]
    await b.ask(do="advance", seconds=DAY)
    assert await b.json("queue") == [] and b.sink.taken == []
    submitted = [e for e in await b.json("trace", "--events") if e["event"] == "Submit"]
    assert [e["text"] for e in submitted] == ["report about message 1"], submitted


async def a_changed_connector_rules_at_the_next_attempt(b):
    b.route(b.nowhere)
    await b.command("reload")
    await b.give("alice@home.example", "bob@x.example", "late@x.example")
    assert b.sink.taken == []
    b.route(b.sink_port)
    assert "reloaded" in await b.command("reload")
    await b.ask(do="wait")
    assert b.sink.taken == []  # not before its time
    await b.ask(do="advance", seconds=15 * MINUTE)
    assert len(b.taken("bob@x.example")) == len(b.taken("late@x.example")) == 1
    assert await b.json("queue") == []


async def a_wrong_configuration_is_refused(b):
    b.route(b.nowhere, "expiri: 1d\n")
    said = await b.command("reload", fails=True)
    assert "engine.yaml:5:1: error" in said and "expiry" in said, said
    await b.give("alice@home.example", "bob@x.example")
    assert len(b.taken("bob@x.example")) == 1


async def hangup_reloads(b):
    b.route(b.nowhere, "ipv6: no\n")
    b.engine.send_signal(signal.SIGHUP)
    said = (await b.engine.stderr.readline()).decode()
    assert "ipv6: at the next start" in said, said
    await b.give("alice@home.example", "bob@x.example")
    assert b.sink.taken == []


async def what_is_held_stays_until_it_is_released(b):
    b.route(b.nowhere)
    await b.command("reload")
    await b.give("alice@home.example", "bob@x.example", "late@y.example")
    assert await b.command("hold", "y.example") == "1 recipient\n"
    b.route(b.sink_port)
    await b.stop()
    await b.start()
    await b.command("requeue")
    await b.ask(do="flush")
    assert len(b.taken("bob@x.example")) == 1 and b.taken("late@y.example") == []
    await b.ask(do="advance", seconds=3 * DAY)
    assert [row["held"] for row in await b.json("queue")] == [True]
    assert "held" in await b.command("queue", "--held")
    assert await b.command("release", "--all") == "1 recipient\n"
    await b.ask(do="wait")
    assert len(b.taken("late@y.example")) == 1


async def what_is_removed_is_gone(b):
    b.route(b.nowhere)
    await b.command("reload")
    await b.give("alice@home.example", "bob@x.example", "late@y.example")
    assert "say what" in await b.command("remove", fails=True)
    assert await b.command("remove", "bob@x.example") == "1 recipient\n"
    assert b.sink.taken == []
    assert await b.command("remove", "--domain", "y.example", "--report") == "1 recipient\n"
    await b.ask(do="wait")
    mail, = b.taken("alice@home.example")
    _, _, (_, recipient), _ = report_of(mail)
    assert recipient["Status"] == "5.3.2" and recipient["Final-Recipient"] == "rfc822; late@y.example"
    assert await b.json("queue") == []
    assert {row["event"] for row in (await b.json("trace", "1"))["events"]} >= {"Receive", "Defer", "Drop"}


async def requeue_picks_out(b):
    b.route(b.nowhere)
    await b.command("reload")
    await b.give("alice@home.example", "bob@x.example", "late@y.example")
    b.route(b.sink_port)
    await b.command("reload")
    assert await b.command("requeue", "--connector", "home") == "0 recipients\n"
    assert await b.command("requeue", "--domain", "y.example", "--code", "4.4") == "1 recipient\n"
    await b.ask(do="wait")
    assert len(b.taken("late@y.example")) == 1 and b.taken("bob@x.example") == []
    assert await b.command("requeue", "--connector", "out") == "1 recipient\n"
    await b.ask(do="wait")
    assert len(b.taken("bob@x.example")) == 1
    story = await b.command("trace", "1")
    assert "Resubmit late@y.example" in story and "LED" not in story, story


async def a_deferral_is_told_in_the_words_of_exchange(b):
    b.route(b.nowhere)
    await b.command("reload")
    await b.give("alice@home.example", "bob@x.example")
    event, = [e for e in await b.json("trace", "bob@x.example", "--events") if e["event"] == "Defer"]
    assert event["detail"].startswith("Reason: [{LED=450 4.4.316 Connection refused"), event["detail"]
    assert "[LastAttemptedIP=127.0.0.1:%d]" % b.nowhere in event["detail"], event["detail"]
    assert "{FQDN=127.0.0.1};{IP=127.0.0.1};{LRT=" in event["detail"], event["detail"]


async def a_full_disk_loses_and_doubles_nothing(b):
    """What cannot be noted is noted as soon as it can be; meanwhile no mail is taken."""
    b.route(b.nowhere)
    await b.command("reload")
    await b.give("alice@home.example", "late@y.example", "bob@x.example")
    b.route(b.sink_port)
    await b.command("reload")
    hard = resource.prlimit(b.engine.pid, resource.RLIMIT_FSIZE)[1]
    b.sink.before_reply = lambda mail: resource.prlimit(b.engine.pid, resource.RLIMIT_FSIZE, (0, hard))
    await b.ask(do="requeue", recipient="bob@x.example")
    assert b"mtalab-engine: COMMIT" in await b.engine.stderr.readline()
    assert len(b.taken("bob@x.example")) == 1
    assert "cannot be written" in (await b.ask(fails=True, do="hold", recipient="late@y.example"))["error"]
    try:
        await b.give("alice@home.example", "carol@x.example")
        assert False, "taken on a full disk"
    except smtplib.SMTPDataError as refused:
        assert refused.smtp_code == 451
    b.sink.before_reply = lambda mail: None
    resource.prlimit(b.engine.pid, resource.RLIMIT_FSIZE, (hard, hard))
    await b.ask(do="flush")
    assert len(b.taken("bob@x.example")) == len(b.taken("late@y.example")) == 1
    assert await b.json("queue") == [] and b.taken("carol@x.example") == []
    sent = [e["recipient"] for e in await b.json("trace", "--events") if e["event"] == "Send"]
    assert sorted(sent) == ["bob@x.example", "late@y.example"], sent


async def an_end_that_could_not_be_noted_is_none(b):
    """The next attempt may end otherwise, and leaves no report of the first."""
    hard = resource.prlimit(b.engine.pid, resource.RLIMIT_FSIZE)[1]
    b.sink.before_refusal = lambda: resource.prlimit(b.engine.pid, resource.RLIMIT_FSIZE, (0, hard))
    b.sink.refused = ["bob@x.example"]
    await asyncio.to_thread(b.submit, "alice@home.example", "bob@x.example")
    assert b"mtalab-engine: COMMIT" in await b.engine.stderr.readline()
    b.sink.refused, b.sink.before_refusal = [], lambda: None
    resource.prlimit(b.engine.pid, resource.RLIMIT_FSIZE, (hard, hard))
    await b.ask(do="flush")
    assert len(b.taken("bob@x.example")) == 1 and b.taken("alice@home.example") == []
    assert await b.json("queue") == []


async def a_smart_host_is_one_destination(b):
    """However many domains go by it."""
    many = ["a@d%d.example" % i for i in range(40)]
    await b.give("alice@home.example", *many)
    assert sorted(r for mail in b.sink.taken for r in mail.recipients) == sorted(many)
    assert 1 < b.sink.most_sessions <= 5, b.sink.most_sessions


async def a_crowd_of_recipients_is_parted(b):
    """A server need not take more than a hundred in one go."""
    many = ["a%d@x.example" % i for i in range(250)]
    await b.give("alice@home.example", *many)
    assert sorted(r for mail in b.sink.taken for r in mail.recipients) == sorted(many)
    assert sorted(len(mail.recipients) for mail in b.sink.taken) == [50, 100, 100]


async def clients_are_bounded(b):
    b.route(b.sink_port, "sessions-per-client: 2\n")
    await b.command("reload")
    greetings, open_ones = [], []
    for _ in range(3):
        reader, writer = await asyncio.open_connection("127.0.0.1", b.port)
        greetings.append((await reader.readline())[:3])
        open_ones.append(writer)
    assert greetings == [b"220", b"220", b"421"], greetings
    for writer in open_ones:
        writer.close()


async def send_has_the_rules_of_smtp(b):
    async def send(mail):
        child = await asyncio.create_subprocess_exec(
            ENGINE, "send", "--config", b.config, "--from", "alice@home.example", "bob@x.example",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        return (await child.communicate(mail))[1].decode()
    assert "550 5.6.0" in await send(b"Subject: x\n\na\rb\n")
    assert "550 5.6.0" in await send(b"Subject: x\n\na\0b\n")
    assert "554 5.4.6" in await send(b"Received: x\n" * 101 + b"\n")
    assert "552 5.3.4" in await send(b"Subject: x\n\n" + b"x" * (26 << 20))
    assert await send(b"Subject: x\n\n.\n") == ""
    await b.ask(do="wait")
    mail, = b.taken("bob@x.example")
    assert mail.content == b"Subject: x\r\n\r\n.\r\n"
    event = (await b.json("trace", "--events"))[0]
    assert event["event"] == "Submit" and event["text"] == "by command"


def certificate(b, name):
    """A new one; where it lies, and where its key does."""
    files = b.directory + "/" + name + ".pem", b.directory + "/" + name + ".key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name, "-out", files[0], "-keyout",
                    files[1]], check=True, capture_output=True)
    return files


async def offer_tls(b, name, required_of):
    files = certificate(b, name)
    b.route(b.sink_port, "submission-tls: {certificate: %s, key: %s, required-of: %s}\n" % (*files, required_of))
    await b.command("reload")
    return files[0]


async def mail_is_submitted_inside_tls(b):
    def talk(name, trusted):
        with smtplib.SMTP("127.0.0.1", b.port) as client:
            try:
                client.sendmail("alice@home.example", ["bob@x.example"], b"Subject: in clear\r\n\r\n")
                assert False, "taken in clear"
            except smtplib.SMTPSenderRefused as refused:
                assert refused.smtp_code == 530, refused
            assert client.has_extn("starttls") and client.has_extn("requiretls")
            context = ssl.create_default_context(cafile=trusted)
            client._host = name
            assert client.starttls(context=context)[0] == 220
            client.sendmail("alice@home.example", ["bob@x.example"], b"Subject: protected\r\n\r\n" + b"x" * 200000)
            assert not client.has_extn("starttls") and client.has_extn("requiretls")
    for name in "relay.example", "renewed.example":  # reload reads the certificate anew
        trusted = await offer_tls(b, name, "clients")
        await asyncio.to_thread(talk, name, trusted)
        await b.ask(do="wait")
        mail = b.taken("bob@x.example")[-1]
        assert b" with ESMTPS;" in mail.content and b"protected" in mail.content, mail.content[:200]
    assert len(b.sink.taken) == 2


async def tls_is_demanded_of_whom_it_should(b):
    for required_of, code in ("network", b"250"), ("nobody", b"250"), ("clients", b"530"):
        await offer_tls(b, "relay.example", required_of)
        reader, writer = await asyncio.open_connection("127.0.0.1", b.port)
        writer.write(b"HELO me\r\nMAIL FROM:<a@home.example>\r\nQUIT\r\n")
        assert code == (await reader.read())[-1000:].split(b"\r\n")[2][:3], required_of
        writer.close()


async def what_comes_behind_starttls_in_clear_is_never_heard(b):
    await offer_tls(b, "relay.example", "nobody")
    reader, writer = await asyncio.open_connection("127.0.0.1", b.port)
    writer.write(b"EHLO me\r\nSTARTTLS\r\nMAIL FROM:<evil@home.example>\r\n")
    said = await reader.read()  # to the end
    assert said.split(b"\r\n")[-2].startswith(b"501 5.5.1"), said
    reader, writer = await asyncio.open_connection("127.0.0.1", b.port)
    writer.write(b"EHLO me\r\nSTARTTLS\r\n")
    await reader.readuntil(b"220 2.0.0 begin\r\n")
    writer.write(b"MAIL FROM:<evil@home.example>\r\nRCPT TO:<bob@x.example>\r\n")
    try:
        assert b"250" not in await reader.read()
    except ConnectionResetError:
        pass
    client = smtplib.SMTP("127.0.0.1", b.port)

    def forgets():
        client.ehlo("me")
        client.mail("alice@home.example")
        client.docmd("STARTTLS")
        client.sock = ssl._create_unverified_context().wrap_socket(client.sock)
        client.file = None
        assert client.docmd("RCPT", "TO:<bob@x.example>")[0] == 503
        assert client.docmd("MAIL", "FROM:<alice@home.example>")[0] == 503  # nor its EHLO
        assert client.docmd("STARTTLS")[0] == 503
        client.quit()
    await asyncio.to_thread(forgets)


async def a_certificate_that_cannot_be_read_changes_nothing(b):
    trusted = await offer_tls(b, "relay.example", "nobody")
    with open(trusted, "w", encoding="ascii") as out:
        out.write("no certificate")
    said = await b.command("reload", fails=True)
    assert "cannot use the certificate in " + trusted in said, said
    with smtplib.SMTP("127.0.0.1", b.port) as client:
        await asyncio.to_thread(client.starttls, context=ssl._create_unverified_context())
    other = b.directory + "/other.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", other], check=True, capture_output=True)
    b.route(b.sink_port, "submission-tls: {certificate: %s, key: %s}\n" % (certificate(b, "relay.example")[0], other))
    assert "is another's than the certificate" in await b.command("reload", fails=True)
    b.route(b.sink_port, "submission-tls: {certificate: %s}\n" % trusted)
    assert "certificate without a key" in await b.command("reload", fails=True)


TESTS = [a_refusal_is_reported, the_message_is_returned_where_that_is_set, tried_for_a_day_then_reported,
         the_null_sender_gets_no_report, a_report_that_fails_is_not_reported,
         a_changed_connector_rules_at_the_next_attempt, a_wrong_configuration_is_refused, hangup_reloads,
         what_is_held_stays_until_it_is_released, what_is_removed_is_gone, requeue_picks_out,
         a_deferral_is_told_in_the_words_of_exchange, a_full_disk_loses_and_doubles_nothing,
         an_end_that_could_not_be_noted_is_none, a_smart_host_is_one_destination,
         a_crowd_of_recipients_is_parted, clients_are_bounded, send_has_the_rules_of_smtp,
         mail_is_submitted_inside_tls, tls_is_demanded_of_whom_it_should,
         what_comes_behind_starttls_in_clear_is_never_heard, a_certificate_that_cannot_be_read_changes_nothing]


async def run(test):
    b = Bench(tempfile.mkdtemp(prefix="mtalab-operation-"))
    try:
        await b.open()
        await asyncio.wait_for(test(b), 60)
        return None
    except Exception as wrong:  # whatever it is, it is told, and the next test runs
        import traceback
        return "".join(traceback.format_exception(wrong)[-3:])
    finally:
        if b.engine is not None and b.engine.returncode is None:
            await b.stop()
        shutil.rmtree(b.directory)


def main():
    failed = 0
    for test in TESTS:
        wrong = asyncio.run(run(test))
        failed += wrong is not None
        if wrong is not None:
            print("FAILED %s:\n%s" % (test.__name__, wrong))
    print("%d passed, %d failed, 0 skipped" % (len(TESTS) - failed, failed))
    return 1 if failed else 0


os.environ["LC_ALL"] = "C"
sys.exit(main())
