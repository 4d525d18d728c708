"""Write files atomically: a path holds either the old content or the complete new content."""

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from os import PathLike
from typing import BinaryIO

from fastw2v.errors import SaveError, writing

# Rows of text are written one by one; the default buffer of 8 KiB needs a system call every few.
BUFFER_BYTES = 1 << 20


@contextlib.contextmanager
def atomic_write(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that replaces it when the block succeeds.

    If the block fails, the old file is unchanged and the temporary file is removed.

    path: file to create or replace. Links are followed; pipes and devices are written directly.
    Yields the file, open for writing bytes.
    Raises SaveError, which names the path, on any operating system error.
    """
    name = os.fspath(path)
    with writing(name):
        if is_special(name):
            with open(name, "wb", buffering=BUFFER_BYTES) as file:
                yield file
            return
        target = os.path.realpath(name)
        _refuse_protected(target)
        temporary = _temporary_beside(target)
        try:
            with open(temporary, "xb", buffering=BUFFER_BYTES) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _keep_mode(target, temporary)
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


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
        target = os.path.realpath(name)
        _refuse_protected(target)
        temporary = _temporary_beside(target)
        with open(temporary, "xb"):
            pass
        os.unlink(temporary)


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


def _temporary_beside(target: str) -> str:
    """Return a new path in the target's folder, with a name short enough for any file system."""
    return os.path.join(os.path.dirname(target), f".fastw2v-{secrets.token_hex(8)}.tmp")


def _keep_mode(target: str, temporary: str) -> None:
    """Give the new file the permissions of the file it replaces."""
    with contextlib.suppress(FileNotFoundError):
        os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
