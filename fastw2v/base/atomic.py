"""Writing a file so that its name holds either the old content or the whole new one."""

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

# 1 MiB: rows of text are written one by one, and the default of 8 KiB costs a call for every few.
BUFFER_BYTES = 1 << 20


@contextlib.contextmanager
def atomic_write(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its place when the block succeeds.

    path: a file to create or replace; a link is followed; a pipe or a device is written directly.
    Returns the file, open for writing bytes.
    Raises SaveError naming the path when the system refuses; whatever fails inside the block,
    the old file stays as it was and the temporary one is removed.
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
    """Raise SaveError now if a later atomic_write to `path` could not succeed.

    path: a file that may exist already; it is not touched.
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
    """Raise SaveError now if the disk of `path` has no room for a new file of n_bytes."""
    name = os.fspath(path)
    with writing(name):
        if is_special(name):
            return
        free = shutil.disk_usage(os.path.dirname(os.path.realpath(name))).free
    if n_bytes > free:
        needed, found = (f"{n / 2**20:,.1f} MiB" for n in (n_bytes, free))
        raise SaveError(f"cannot write {name}: {needed} are needed, {found} are free")


@contextlib.contextmanager
def room_held(path: str | PathLike[str], n_bytes: int) -> Iterator[None]:
    """Keep n_bytes free on the disk of `path` until the block ends, if the system can do that.

    So that a file written right after it finds room, whatever filled the disk meanwhile. They
    belong to a file without a name, which goes with the process, however that ends.
    """
    folder = os.path.dirname(os.path.realpath(path))
    with contextlib.ExitStack() as held:
        try:
            file = os.open(folder, os.O_TMPFILE | os.O_WRONLY)
            held.callback(os.close, file)
            os.posix_fallocate(file, 0, n_bytes)
        except (OSError, AttributeError):  # no room, not on this disk, or not on Linux
            held.close()
        yield


def is_special(name: str) -> bool:
    """Say whether the path is a pipe or a device, which no rename may replace.

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
    """Raise an OSError for a file that may not be written, though it could be replaced."""
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is write-protected")


def _temporary_beside(target: str) -> str:
    """Return a new name in the target's folder, short enough for any file system."""
    return os.path.join(os.path.dirname(target), f".fastw2v-{secrets.token_hex(8)}.tmp")


def _keep_mode(target: str, temporary: str) -> None:
    """Give the new file the permissions of the one that it replaces."""
    with contextlib.suppress(FileNotFoundError):
        os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
