import fcntl

import pytest

from shokubai.runner.lock import RunUnderWayError, only_one


@pytest.mark.parametrize("said", ["", "123\n", '{"process": 1', "[]"])
def test_a_holder_that_did_not_say_who_it_is_refuses_all_the_same(tmp_path, said):
    lock = tmp_path / ".lock"
    with lock.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        lock.write_text(said)
        with (
            pytest.raises(RunUnderWayError, match="which has not said yet who it is") as refused,
            only_one(tmp_path),
        ):
            pass
        assert lock.read_text() == said
    assert refused.value.exit_status == 3


def test_the_lock_is_free_again_afterwards_and_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), only_one(tmp_path):
        1 / 0  # noqa: B018
    with only_one(tmp_path):
        assert '"process"' in (tmp_path / ".lock").read_text()
    assert (tmp_path / ".lock").read_text() == ""
