"""Write files atomically: a path holds either the old content or the complete new content."""

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from os import PathLike
from typing import BinaryIO, NamedTuple

from fastw2v.errors import ReadError, SaveError, reading, writing

# Rows of text are written one by one; the default buffer of 8 KiB needs a system call every few.
BUFFER_BYTES = 1 << 20


# Errors of fsync on the folders of file systems that cannot do it.
CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EACCES, errno.EPERM, errno.EBADF)
TEMPORARY = re.compile(r"\.fastw2v-[0-9a-f]{16}\.tmp")


@contextlib.contextmanager
def atomic_write(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that replaces it when the block succeeds.

    If the block fails, the old file is unchanged and the temporary file is removed.

    path: file to create or replace. Links are followed; pipes and devices are written directly.
    Yields the file, open for writing bytes.
    Raises SaveError, which names the path, on any operating system error.
    """
    with atomic_group() as group, group.open(path) as file:
        yield file


@contextlib.contextmanager
def atomic_group() -> Iterator["FileGroup"]:
    """Replace all files opened in the block as one when it succeeds.

    If the block fails, or a file cannot be replaced, the old files are unchanged. If the process
    is killed while it replaces several files, the file opened first is missing: a reader that
    needs it fails, and cannot mix old and new files. A reader in another process must hold
    `not_replaced` for that file.
    """
    with contextlib.ExitStack() as temporaries:
        group = FileGroup(temporaries)
        yield group
        group.replace()


@contextlib.contextmanager
def not_replaced(path: str | PathLike[str]) -> Iterator[None]:
    """Raise ReadError if the first file of a group is replaced or changed during the block."""
    name = os.fspath(path)
    with reading(name):
        before = _identity(name)
        yield
        if _identity(name) != before:
            raise ReadError(f"{name} was replaced while it was read; read it again")


@contextlib.contextmanager
def set_aside(path: str | PathLike[str]) -> Iterator[None]:
    """Remove a file, if there is one, during the block and after it; restore it if that fails.

    If the block fails, a file that did not exist before is removed.
    """
    name = os.fspath(path)
    target = os.path.realpath(name)
    old, lock = _new_name_beside(target), _open_locked(target)
    existed = os.path.lexists(target)
    try:
        with writing(name):
            if existed:
                os.replace(target, old)
        yield
    except BaseException:
        _put_back(name, target, old if existed else None)
        raise
    finally:
        _unlock(lock)
    with contextlib.suppress(OSError):
        os.unlink(old)


class _Staged(NamedTuple):
    """A complete new file: its path as given, its real path, and that of the temporary file."""

    name: str
    target: str
    temporary: str


class FileGroup:
    """Files that are replaced as one, see atomic_group."""

    def __init__(self, temporaries: contextlib.ExitStack) -> None:
        self._temporaries, self._staged = temporaries, list[_Staged]()

    @contextlib.contextmanager
    def open(self, path: str | PathLike[str]) -> Iterator[BinaryIO]:
        """Open a file of the group for writing bytes; see atomic_write."""
        name = os.fspath(path)
        with writing(name):
            if is_special(name):
                with open(name, "wb", buffering=BUFFER_BYTES) as file:
                    yield file
                return
            target = os.path.realpath(name)
            temporary, lock = self._temporaries.enter_context(_temporary_beside(target))
            # A second descriptor: errors of closing are seen before the file is renamed, and the
            # first one keeps the lock until then.
            with open(os.dup(lock), "wb", buffering=BUFFER_BYTES) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            self._staged.append(_Staged(name, target, temporary))

    def replace(self) -> None:
        """Rename the new files.  Raises SaveError; the old files are then in place again."""
        with contextlib.ExitStack() as old_files:
            if len(self._staged) > 1:
                for file in self._staged:
                    old_files.enter_context(set_aside(file.name))
                self._sync_folders()
            for file in reversed(self._staged):  # the first one last
                with writing(file.name):
                    os.replace(file.temporary, file.target)
        self._sync_folders()

    def _sync_folders(self) -> None:
        """Write the folders to disk, so that the renames survive a power failure."""
        folders = {os.path.dirname(file.target): file.name for file in self._staged}
        for folder, name in folders.items():
            with writing(name):
                _sync(folder)


def check_writable(path: str | PathLike[str]) -> None:
    """Raise SaveError if atomic_write could not write `path`.

    path: file to check; an existing file is not modified.
    """
    name = os.fspath(path)
    with writing(name):
        if is_special(name):
            if not os.access(name, os.W_OK):
                raise SaveError(f"cannot write {name}: permission denied")
            return
        with _temporary_beside(os.path.realpath(name)):
            pass


def check_room(path: str | PathLike[str], n_bytes: int) -> None:
    """Raise SaveError if the disk of `path` has less than n_bytes of free space."""
    name = os.fspath(path)
    with writing(name):
        if is_special(name):
            return
        free = shutil.disk_usage(os.path.dirname(os.path.realpath(name))).free
    if n_bytes > free:
        needed, found = (f"{n / 2**20:,.1f} MiB" for n in (n_bytes, free))
        raise SaveError(f"cannot write {name}: it needs {needed}, but only {found} are free")


@contextlib.contextmanager
def room_held(path: str | PathLike[str], n_bytes: int) -> Iterator[None]:
    """Reserve n_bytes on the disk of `path` until the block ends, where the system supports it.

    A file written right after the block then has enough space, even if other processes filled
    the disk during it. An unnamed file holds the space; it disappears with the process, even
    after a crash.
    """
    folder = os.path.dirname(os.path.realpath(path))
    with contextlib.ExitStack() as open_files:
        try:
            file = os.open(folder, os.O_TMPFILE | os.O_WRONLY)
            open_files.callback(os.close, file)
            os.posix_fallocate(file, 0, n_bytes)
        except (OSError, AttributeError):  # disk full, unsupported file system, or not Linux
            open_files.close()
        yield


def is_special(name: str) -> bool:
    """Return whether the path is a pipe or device, which must not be replaced by a rename.

    Raises SaveError if it is a directory.
    """
    try:
        mode = os.stat(name).st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise SaveError(f"cannot write {name}: it is a directory")
    return not stat.S_ISREG(mode)


def _refuse_protected(target: str) -> None:
    """Raise PermissionError for a write-protected file, which a rename could still replace."""
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is write-protected")


def _new_name_beside(target: str) -> str:
    """Return a new path in the target's folder, with a name short enough for any file system."""
    return os.path.join(os.path.dirname(target), f".fastw2v-{secrets.token_hex(8)}.tmp")


@contextlib.contextmanager
def _temporary_beside(target: str) -> Iterator[tuple[str, int]]:
    """Create an empty file with the target's owner and mode; unlink it unless it was renamed.

    Yields its path, and a descriptor that holds its lock.
    """
    _refuse_protected(target)
    sweep(os.path.dirname(target))
    temporary, lock = _create_locked(target)
    try:
        with contextlib.suppress(FileNotFoundError):
            _keep_owner_and_mode(os.stat(target), lock)
        yield temporary, lock
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        _unlock(lock)


def _create_locked(target: str) -> tuple[str, int]:
    """Create and lock a temporary file, again if another process swept it before the lock."""
    mode = 0o600 if os.path.exists(target) else 0o666
    while True:
        temporary = _new_name_beside(target)
        file = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        if _lock(file) and os.fstat(file).st_nlink:
            return temporary, file
        _unlock(file)
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _keep_owner_and_mode(old: os.stat_result, file: int) -> None:
    """Give a new file the owner, if this process may, and the permissions of the old one."""
    new = os.fstat(file)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(file, old.st_uid, old.st_gid)
    os.fchmod(file, stat.S_IMODE(old.st_mode))


def sweep(folder: str, is_owned: bool = False) -> None:
    """Remove the temporary files of dead processes: those that nobody has locked.

    is_owned: no other process writes to the folder, so all are dead.  The lock of a killed process
    may outlast it by a moment.
    """
    with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
        names = [entry.path for entry in entries if TEMPORARY.fullmatch(entry.name)]
        for name in names:
            file = None if is_owned else _open_locked(name)
            if is_owned or file is not None:
                with contextlib.suppress(OSError):
                    os.unlink(name)
                _unlock(file)


def _open_locked(name: str) -> int | None:
    """Open and lock a regular file; return None if that fails or another process has locked it."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(file).st_mode) and _lock(file, otherwise=False):
        return file
    _unlock(file)
    return None


def _lock(file: int, otherwise: bool = True) -> bool:
    """Lock a file until it is closed; return whether no other process has locked it.

    otherwise: what to return where files cannot be locked.
    """
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (OSError, ImportError):  # of a network file system; on Windows
        return otherwise
    return True


def _unlock(file: int | None) -> None:
    if file is not None:
        with contextlib.suppress(OSError):
            os.close(file)


def _put_back(name: str, target: str, old: str | None) -> None:
    """Restore a file that was set aside, or remove the new one if there was none."""
    try:
        with contextlib.suppress(FileNotFoundError):  # neither was moved
            os.unlink(target) if old is None else os.replace(old, target)
    except OSError as error:
        where = "" if old is None else f"; it is in {old}"
        raise SaveError(
            f"cannot write {name}, nor put the old file back: {error.strerror}{where}"
        ) from error


def _sync(folder: str) -> None:
    try:
        file = os.open(folder or ".", os.O_RDONLY)
    except OSError:  # a folder without read permission
        return
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in CANNOT_SYNC:
            raise
    finally:
        _unlock(file)


def _identity(name: str) -> tuple[int, ...] | None:
    """Return what tells a file from another one and from itself renamed; None for a pipe."""
    found = os.stat(name)
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
