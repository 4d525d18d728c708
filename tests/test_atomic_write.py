import errno
import os
import stat
import subprocess
import sys
from types import SimpleNamespace

import pytest

from fastw2v.base import atomic
from fastw2v.base.atomic import atomic_write, check_writable
from fastw2v.errors import ReadError, SaveError


def test_success_replaces_the_old_content_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("failure", [ValueError("x"), KeyboardInterrupt(), ReadError("y")])
def test_failure_in_the_middle_leaves_the_old_file(tmp_path, failure):
    path = tmp_path / "model"
    path.write_bytes(b"old")
    with pytest.raises(type(failure)), atomic_write(path) as file:
        file.write(b"half")
        raise failure
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model"]


def test_full_disk_becomes_a_save_error_naming_the_path(tmp_path):
    path = tmp_path / "model"
    match = f"cannot write {path}: No space left"
    with pytest.raises(SaveError, match=match), atomic_write(path):
        raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_full_device_becomes_a_save_error():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    match = "cannot write /dev/full: No space left"
    with pytest.raises(SaveError, match=match), atomic_write("/dev/full") as file:
        file.write(b"x")


def test_a_pipe_is_written_and_not_replaced(tmp_path):
    # Not a device: as root, the failure of this test would replace it for the whole machine.
    os.mkfifo(tmp_path / "pipe")
    with os.fdopen(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        with atomic_write(tmp_path / "pipe") as file:
            file.write(b"x")
        check_writable(tmp_path / "pipe")
        assert reader.read() == b"x"
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)


def test_a_link_is_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "target"
    link = tmp_path / "link"
    link.symlink_to(target)
    with atomic_write(link) as file:
        file.write(b"x")
    assert link.is_symlink()
    assert target.read_bytes() == b"x"


def test_permissions_of_the_old_file_are_kept(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with atomic_write(path) as file:
        file.write(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_check_writable_touches_no_existing_file(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"old")
    check_writable(path)
    check_writable(tmp_path / "new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("place", ["missing/model", "", "file/model"])
def test_check_writable_names_a_path_that_cannot_be_written(tmp_path, place):
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / place
    with pytest.raises(SaveError, match=f"cannot write {path}"):
        check_writable(path)
    with pytest.raises(SaveError, match=f"cannot write {path}"), atomic_write(path):
        pass


ABANDONED = ".fastw2v-0123456789abcdef.tmp"


def test_the_next_save_sweeps_the_temporary_files_of_dead_processes(tmp_path):
    kill = f"""if True:
        import os, signal
        from fastw2v.base.atomic import atomic_write
        with atomic_write({str(tmp_path / "model")!r}) as file:
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert subprocess.run([sys.executable, "-c", kill]).returncode == -9
    (tmp_path / ABANDONED).write_bytes(b"of a version without locks")
    assert len(os.listdir(tmp_path)) == 2
    with atomic_write(tmp_path / "model"):
        pass
    assert os.listdir(tmp_path) == ["model"]


def test_the_temporary_file_of_a_living_process_is_not_swept(tmp_path):
    with atomic_write(tmp_path / "model") as file:
        file.write(b"first")
        file.flush()
        for _ in range(2):
            check_writable(tmp_path / "other")
            with atomic_write(tmp_path / "model") as second:
                second.write(b"second")
    assert (tmp_path / "model").read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["model"]


def test_a_sweep_removes_neither_links_nor_pipes_nor_other_names(tmp_path):
    (tmp_path / "target").write_bytes(b"x")
    (tmp_path / ABANDONED).symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / ABANDONED.replace("0", "1"))
    (tmp_path / f"{ABANDONED}2").write_bytes(b"x")
    before = set(os.listdir(tmp_path))
    check_writable(tmp_path / "model")
    assert set(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_temporary_file_has_the_permissions_of_the_old_one_from_its_first_byte(tmp_path, mode):
    path = tmp_path / "model"
    path.write_bytes(b"old")
    path.chmod(mode)
    with atomic_write(path):
        (temporary,) = tmp_path.glob(".*")
        assert stat.S_IMODE(temporary.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_of_the_old_file_is_kept(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"old")
    os.chown(path, 4321, 1234)
    path.chmod(0o640)
    with atomic_write(path) as file:
        file.write(b"new")
    found = path.stat()
    kept = (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))
    assert kept == (4321, 1234, 0o640)


def calls_of(monkeypatch, *names):
    """The calls of these functions of os, each with whether its file is a folder."""
    calls = []

    def recording(name, real):
        def call(*args):
            calls.append((name, stat.S_ISDIR(os.fstat(args[0]).st_mode) if name == "fsync" else 0))
            return real(*args)

        return call

    recorded = {name: recording(name, getattr(os, name)) for name in names}
    monkeypatch.setattr(atomic, "os", SimpleNamespace(**{**vars(os), **recorded}))
    return calls


def test_the_file_is_synced_before_its_rename_and_the_folder_after(tmp_path, monkeypatch):
    calls = calls_of(monkeypatch, "fsync", "replace")
    with atomic_write(tmp_path / "model"):
        pass
    assert calls == [("fsync", False), ("replace", 0), ("fsync", True)]


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EIO])
def test_a_folder_that_cannot_be_synced_is_an_error_only_if_it_could(tmp_path, monkeypatch, error):
    def fsync(file):
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(error, os.strerror(error))

    monkeypatch.setattr(atomic, "os", SimpleNamespace(**{**vars(os), "fsync": fsync}))
    if error == errno.EIO:
        match = "model: Input/output error"
        with pytest.raises(SaveError, match=match), atomic_write(tmp_path / "model"):
            pass
    else:
        with atomic_write(tmp_path / "model"):
            pass
    assert os.listdir(tmp_path) == ["model"]
