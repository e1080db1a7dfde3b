"""Where alerts arrive in tests: a real mail server, a real webhook, and servers that are no use, all on 127.0.0.1."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "Never-Shown-Password-7"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(kw_only=True)
class MailServer:
    """What was mailed, and the logins it was mailed with."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    logins: set[tuple[str, str]] = field(default_factory=set)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any
    ) -> AuthResult:
        assert isinstance(login, LoginPassword)
        self.logins.add((login.login.decode(), login.password.decode()))
        return AuthResult(success=login.password.decode() == PASSWORD)

    @property
    def url(self) -> str:
        return mail_url(self.port)

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]

    @property
    def texts(self) -> list[str]:
        """What each mail says to whoever reads it."""
        return [read(mail) for mail in self.mails]


def mail_url(port: int) -> str:
    address = f"crm:{PASSWORD}@crm.example:{port}"
    return f"mailto://{address}?smtp=127.0.0.1&mode=insecure&from=crm@crm.example&to=asha@crm.example"


def read(mail: EmailMessage) -> str:
    """The text of a mail, unwrapped from its encoding."""
    part = mail.get_body(preferencelist=("plain", "html"))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").strip()


@contextmanager
def mail_server(port: int | None = None) -> Iterator[MailServer]:
    """A mail server that takes logins."""
    server = MailServer(port=port or free_port())
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        authenticator=server.authenticate,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@dataclass(kw_only=True)
class Webhook:
    """What was posted and taken. ``status`` is what it answers, ``asked`` counts every post."""

    port: int = 0
    status: int = 200
    asked: int = 0
    posts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"json://crm:{PASSWORD}@127.0.0.1:{self.port}/hooks/{PASSWORD}-path"

    @property
    def titles(self) -> list[str]:
        return [post["title"] for post in self.posts]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A receiver of JSON over HTTP."""
    received = Webhook()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.asked += 1
            if received.status == 200:
                received.posts.append(json.loads(body))
            self.send_response(received.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        received.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentServer:
    """Takes connections and says nothing."""

    server: socket.socket

    @property
    def port(self) -> int:
        return int(self.server.getsockname()[1])

    def connections(self) -> int:
        """How many came since this was asked last; they are closed."""
        self.server.setblocking(False)
        count = 0
        with suppress(BlockingIOError):
            while True:
                self.server.accept()[0].close()
                count += 1
        return count


@contextmanager
def silent_server() -> Iterator[SilentServer]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield SilentServer(server=server)
