"""A private Dovecot: own configuration, ports, mailboxes in a temporary folder, password `secret` for everybody."""

from __future__ import annotations

import contextlib
import ctypes
import getpass
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.machine import binary
from tests.processes import free_port
from tests.servers.certificates import Authority, authority

_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {login}
default_login_user = {login}
default_internal_group = {group}
first_valid_uid = {uid}
disable_plaintext_auth = no
auth_mechanisms = plain login
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
mail_location = maildir:{folder}/mail/%u
mailbox_list_index = no
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""


def _end_with_parent() -> None:
    """A killed test run leaves no server behind (Linux: PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Dovecot:
    """`user`s need not be made: every name has a mailbox."""

    def __init__(self, folder: Path, *names: str) -> None:
        """`names`: what its certificate is made out to; 127.0.0.1 and localhost when empty."""
        self.folder = folder
        self.authority: Authority = authority()
        self.port, self.tls_port, self.lmtp_port = free_port(), free_port(), free_port()
        self._names = names or ("localhost", "127.0.0.1")
        self._process: subprocess.Popen[bytes] | None = None
        mail = self.folder / "mail"
        mail.mkdir(parents=True)
        # A root process may not keep mail as root.
        person = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        if os.getuid() == 0:
            os.chmod(folder, 0o755)
            for parent in folder.parents:
                if parent == Path("/tmp"):
                    break
                os.chmod(parent, parent.stat().st_mode | 0o055)
            os.chown(mail, person.pw_uid, person.pw_gid)
        self._person = person
        certificate, key = self.authority.issue(self.folder, *self._names)
        login = "dovenull" if os.getuid() == 0 else getpass.getuser()
        group = "dovecot" if os.getuid() == 0 else ""
        config = _CONFIG.format(
            folder=folder,
            login=login,
            group=group or pwd.getpwuid(os.getuid()).pw_name,
            uid=person.pw_uid,
            gid=person.pw_gid,
            certificate=certificate,
            key=key,
            port=self.port,
            tls_port=self.tls_port,
            lmtp_port=self.lmtp_port,
        )
        (folder / "dovecot.conf").write_text(config)
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [binary("dovecot"), "-F", "-c", str(self.folder / "dovecot.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        until = time.monotonic() + 60
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=2) as probe:
                    if probe.recv(20).startswith(b"* OK"):
                        return
            except OSError:
                pass
            if time.monotonic() > until or self._process.poll() is not None:
                log = self.folder / "dovecot.log"
                raise AssertionError(f"Dovecot did not start: {log.read_text() if log.exists() else 'no log'}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def box(self, user: str) -> imaplib.IMAP4:
        """A logged-in connection with INBOX open."""
        connection = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        connection.login(user, "secret")
        connection.select("INBOX")
        return connection

    def put(self, user: str, *mails: bytes, folder: str = "INBOX") -> None:
        """Append mails by IMAP, as other programs do."""
        connection = self.box(user)
        for mail in mails:
            kind, said = connection.append(folder, "", None, mail)
            assert kind == "OK", said
        connection.logout()

    def drop(self, user: str, mail: bytes) -> None:
        """Deliver one mail by LMTP, as a mail server does."""
        import smtplib

        with smtplib.LMTP("127.0.0.1", self.lmtp_port, local_hostname="localhost") as lmtp:
            lmtp.sendmail("", [user], mail)

    def mails(self, user: str, folder: str = "INBOX") -> list[tuple[bytes, bytes]]:
        """Flags and bytes of every mail, in order."""
        connection = self.box(user)
        try:
            if connection.select(folder, readonly=True)[0] != "OK":
                return []
            found = []
            for number in connection.search(None, "ALL")[1][0].split():
                data = connection.fetch(number, "(FLAGS BODY.PEEK[])")[1]
                if not isinstance(data[0], tuple):
                    continue  # moved away meanwhile
                tail = data[1] if len(data) > 1 and isinstance(data[1], bytes) else b""
                found.append((data[0][0] + tail, data[0][1]))
            return found
        finally:
            connection.logout()

    def create(self, user: str, folder: str) -> None:
        connection = self.box(user)
        connection.create(f'"{folder}"')
        connection.logout()

    def wipe(self, user: str) -> None:
        """Make the mailbox anew, with new UIDs and another UIDVALIDITY."""
        shutil.rmtree(self.folder / "mail" / user, ignore_errors=True)
