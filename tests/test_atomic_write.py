import os
import stat

import pytest

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
