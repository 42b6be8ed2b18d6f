"""Start and stop a private PostgreSQL cluster with the PostGIS binaries of the machine.

It listens on a Unix socket only, in a folder that only its account can enter: no port, no
password. As root, which PostgreSQL refuses to run as, it drops to the account that owns the
folder (`postgres` at first). Once started it keeps running until `stop`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from geo.errors import DatabaseUnavailable, MissingPostgis
from geo.store.postgres_programs import Binaries, find_binaries, has_postgis, installed

ROLE = "portee"
DATABASE = "portee"
PORT = 5432
"""Only names the socket file; no port is opened."""
SOCKET_PATH_MAX = 103
"""Longest path of a socket in bytes: 107 on Linux, 103 on macOS."""
_SOCKET_FILE = f".s.PGSQL.{PORT}"
_LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


@dataclass(frozen=True)
class ClusterStatus:
    """State of the embedded cluster, read without starting it."""

    folder: Path
    created: bool
    running: bool
    pid: int | None
    version: int | None
    socket: Path
    log: Path


@dataclass(frozen=True)
class Cluster:
    """Folder of an embedded cluster, and the account it runs as.

    `account` is None when the server runs as the current user. `options` are server settings
    (`fsync=off`) for tests only.
    """

    folder: Path
    account: pwd.struct_passwd | None = None
    options: tuple[str, ...] = ()

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "server.log"

    @property
    def socket(self) -> Path:
        """Folder of the Unix socket: the cluster's own, or a short one where its path is too long."""
        if len(os.fsencode(self.folder / _SOCKET_FILE)) <= SOCKET_PATH_MAX:
            return self.folder
        # Not TMPDIR, which may differ between two commands. `_make_folder` checks the owner.
        return Path("/tmp") / f"portee-{self._uid}-{_fingerprint(self.folder)}"  # noqa: S108

    @property
    def _uid(self) -> int:
        return self.account.pw_uid if self.account else os.getuid()

    def url(self, database: str = DATABASE) -> URL:
        """Return the SQLAlchemy URL of one of its databases."""
        # An explicit port overrides PGPORT of the environment.
        query = {"host": str(self.socket), "port": str(PORT)}
        return URL.create("postgresql+psycopg", username=ROLE, database=database, query=query)


def cluster_at(home: Path, *, options: tuple[str, ...] = ()) -> Cluster:
    """Return the embedded cluster of a home folder; start and create nothing.

    Its folder is `home/postgres`. For root, when the `postgres` account cannot enter it (below /root,
    for instance), it is `/var/lib/portee-<hash of the home>`.

    Raises
    ------
    DatabaseUnavailable
        If the cluster belongs to another user, or root finds no `postgres` account to drop to.
    """
    folder = home.expanduser().resolve() / "postgres"
    if os.getuid() != 0:
        if folder.exists() and folder.stat().st_uid != os.getuid():
            owner = _account_name(folder.stat().st_uid)
            raise DatabaseUnavailable(
                f"The embedded database in {folder} belongs to {owner}.",
                f"Run as {owner} or as root, or name another folder: export PORTEE_HOME=/path",
            )
        return Cluster(folder, None, options)
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        raise MissingPostgis(
            "PostgreSQL does not run as root, and there is no account « postgres »."
        ) from None
    refuge = Path("/var/lib") / f"portee-{_fingerprint(folder)}"
    for known in (refuge, folder):
        if known.exists() and known.stat().st_uid != 0:
            account = pwd.getpwuid(known.stat().st_uid)
            return Cluster(known, account, options)
    reached = _reached_by(account, folder)
    return Cluster(folder if reached else refuge, account, options)


def status(cluster: Cluster) -> ClusterStatus:
    """What is known of the cluster without starting it."""
    pid = _server_pid(cluster)
    return ClusterStatus(
        folder=cluster.folder,
        created=(cluster.data / "PG_VERSION").exists(),
        running=pid is not None,
        pid=pid,
        version=_data_version(cluster),
        socket=cluster.socket,
        log=cluster.log,
    )


def start(cluster: Cluster, *, timeout_s: int = 60) -> None:
    """Create the cluster if needed and start it; quick when it already runs.

    Raises
    ------
    MissingPostgis
        If no PostgreSQL with PostGIS is installed.
    DatabaseUnavailable
        If it cannot be created or started, with the end of its log.
    """
    with _alone(cluster):
        if _server_pid(cluster) is not None:
            return
        binaries = _binaries_for(cluster)
        _make_folder(cluster, cluster.socket)
        if not (cluster.data / "PG_VERSION").exists():
            _create(cluster, binaries)
        _forget_dead_server(cluster)
        settings = [
            "listen_addresses=",
            f"port={PORT}",
            f"unix_socket_directories={cluster.socket}",
            "unix_socket_permissions=0700",
            "max_connections=60",
            "logging_collector=off",
            "log_destination=stderr",
            *cluster.options,
        ]
        options = " ".join(f"-c {shlex.quote(setting)}" for setting in settings)
        command = [binaries["pg_ctl"], "start", "--wait", f"--timeout={timeout_s}", "--silent"]
        command += [f"--pgdata={cluster.data}", f"--log={cluster.log}", f"--options={options}"]
        completed = _run(cluster, command)
        for _ in range(20):  # processes of a killed server take a moment to release its shared memory
            if completed.returncode == 0 or "still in use" not in _tail(cluster.log):
                break
            time.sleep(0.25)
            completed = _run(cluster, command)
        if completed.returncode != 0:
            raise DatabaseUnavailable(
                f"The embedded database did not start: {_tail(cluster.log) or completed.stderr.strip()}",
                f"Its log is {cluster.log}",
            )


def stop(cluster: Cluster) -> bool:
    """Stop the cluster, closing connections; return whether it was running.

    Raises
    ------
    DatabaseUnavailable
        If it does not stop.
    """
    if not cluster.folder.exists():
        return False
    with _alone(cluster):
        if _server_pid(cluster) is None:
            return False
        binaries = _binaries_for(cluster)
        command = [binaries["pg_ctl"], "stop", "--wait", "--mode=fast", f"--pgdata={cluster.data}"]
        completed = _run(cluster, command)
        if completed.returncode != 0:
            raise DatabaseUnavailable(
                f"The embedded database did not stop: {completed.stderr.strip()}", f"Its log is {cluster.log}"
            )
        return True


def _binaries_for(cluster: Cluster) -> Binaries:
    version = _data_version(cluster)
    try:
        return find_binaries(version)
    except MissingPostgis:
        others = sorted({b.version for b in installed() if has_postgis(b)})
        if version is None or not others:
            raise
        raise DatabaseUnavailable(
            f"The embedded database in {cluster.folder} was made by PostgreSQL {version}; "
            f"this machine has PostGIS for {', '.join(map(str, others))} only.",
            f"Install PostgreSQL {version} with PostGIS again; to change version, `portee db dump` with the "
            f"old one, move {cluster.folder} away, then `portee db restore`.",
        ) from None


def _data_version(cluster: Cluster) -> int | None:
    try:
        return int((cluster.data / "PG_VERSION").read_text())
    except (FileNotFoundError, ValueError):
        return None


def _create(cluster: Cluster, binaries: Binaries) -> None:
    """Create the cluster and its database in a temporary folder, then rename it: all or nothing."""
    nascent = cluster.folder / "data.new"
    shutil.rmtree(nascent, ignore_errors=True)
    completed = _run(
        cluster,
        [
            binaries["initdb"],
            f"--pgdata={nascent}",
            f"--username={ROLE}",
            # The permissions of the socket's folder decide who can connect.
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            f"--locale={_LOCALE}",
            *(["--no-sync"] if "fsync=off" in cluster.options else []),
        ],
    )
    if completed.returncode == 0:
        single = [binaries["postgres"], "--single", "-D", str(nascent), *_as_options(cluster), "postgres"]
        completed = _run(cluster, single, f"CREATE DATABASE {DATABASE}\n")
    # The single-user backend reports errors on standard error only, and still exits with 0.
    if completed.returncode != 0 or re.search(r"ERROR|FATAL|PANIC", completed.stderr):
        raise DatabaseUnavailable(
            f"The embedded database could not be made in {cluster.folder}: {_last_lines(completed.stderr)}"
        )
    nascent.rename(cluster.data)


def _as_options(cluster: Cluster) -> list[str]:
    return [word for setting in cluster.options for word in ("-c", setting)]


def _run(cluster: Cluster, command: list[str], given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a server program as the cluster's account, in a folder that it can enter."""
    account = cluster.account
    return subprocess.run(
        command,
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        text=True,
        check=False,
        cwd=cluster.folder,
        env={k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"},
        umask=0o077,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )


@contextmanager
def _alone(cluster: Cluster) -> Iterator[None]:
    """Lock the cluster: concurrent starts and stops wait."""
    _make_folder(cluster, cluster.folder)
    # Opened for reading: the file may have been created by root.
    lock = os.open(cluster.folder / "lock", os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _make_folder(cluster: Cluster, folder: Path) -> None:
    """Create a folder that only the cluster's account can enter; refuse one that another account owns."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
            if cluster.account:
                os.chown(folder, cluster.account.pw_uid, cluster.account.pw_gid)
        except FileExistsError:
            found = folder.lstat()
            if folder.is_symlink() or (found.st_uid not in (cluster._uid, os.getuid())):
                raise DatabaseUnavailable(
                    f"{folder} belongs to {_account_name(found.st_uid)}, not to "
                    f"{_account_name(cluster._uid)}: the embedded database will not use it."
                ) from None
            if cluster.account and found.st_uid != cluster._uid:
                os.chown(folder, cluster.account.pw_uid, cluster.account.pw_gid)
            if found.st_mode & 0o077:
                folder.chmod(0o700)
    except OSError as problem:
        raise DatabaseUnavailable(
            f"The embedded database cannot use {folder}: {problem.strerror}.",
            "Name a folder you may write to: export PORTEE_HOME=/path",
        ) from problem


def _server_pid(cluster: Cluster) -> int | None:
    """Return the process id of the ready server of this cluster, or None."""
    try:
        lines = (cluster.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    ready = len(lines) > 7 and lines[7].strip() == "ready"
    return int(lines[0]) if ready and _serves(int(lines[0]), cluster) else None


def _serves(pid: int, cluster: Cluster) -> bool:
    """Return whether a process is this cluster's server, not another that got its id since."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    working = Path(f"/proc/{pid}/cwd")
    if Path("/proc/self/cwd").exists():
        try:
            return working.resolve() == cluster.data.resolve()
        except OSError:
            return False
    completed = subprocess.run(
        ["ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False
    )
    return "postgres" in completed.stdout


def _forget_dead_server(cluster: Cluster) -> None:
    """Remove lock files of a killed server whose process id now belongs to another process.

    PostgreSQL does so itself when no process has the id.
    """
    for left in (cluster.data / "postmaster.pid", cluster.socket / f"{_SOCKET_FILE}.lock"):
        try:
            pid = abs(int(left.read_text().splitlines()[0]))
        except (FileNotFoundError, ValueError, IndexError):
            continue
        if not _serves(pid, cluster):
            left.unlink(missing_ok=True)


def _reached_by(account: pwd.struct_passwd, folder: Path) -> bool:
    """Return whether an account may enter all existing parents of a folder."""
    for parent in folder.parents:
        if not parent.exists():
            continue
        found = parent.stat()
        groups = os.getgrouplist(account.pw_name, account.pw_gid)
        bit = 0o100 if found.st_uid == account.pw_uid else 0o010 if found.st_gid in groups else 0o001
        if not found.st_mode & bit:
            return False
    return True


def _account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _fingerprint(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:10]


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 4_000))
            return _last_lines(stream.read().decode(errors="replace"))
    except FileNotFoundError:
        return ""


def _last_lines(text: str, count: int = 4) -> str:
    return " / ".join(line.strip() for line in text.splitlines()[-count:])
