import asyncio
import os
import threading
import time
from pathlib import Path

import argon2
import pytest

from llmproxy_core import logins, passwords
from llmproxy_core.logins import ACCEPTED_SECONDS, GUESSES, REFUSED_SECONDS, WINDOW, Answer, Logins
from llmproxy_core.passwords import PLAIN, Users
from llmproxy_core.watched import Watched

HERE, THERE = "10.0.0.1", "10.0.0.2"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def checked(monkeypatch) -> list[str]:
    """The passwords that were really checked, in order."""
    checks: list[str] = []
    real = passwords.holds

    def holds(password: str, hash: str) -> bool:
        checks.append(password)
        return real(password, hash)

    monkeypatch.setattr(passwords, "holds", holds)
    return checks


@pytest.fixture
def doors(clock: Clock, said: list[str], checked: list[str]) -> Logins:
    users: Users = {"anna": PLAIN + "secret", "ben": PLAIN + "word"}
    return Logins(Watched[Users](None, passwords.read, users), said.append, clock)


async def test_what_was_found_out_is_known_at_once(doors, checked):
    assert doors.known("anna", "secret") is None
    assert await doors.check(HERE, "anna", "secret") == Answer(True)
    assert await doors.check(HERE, "anna", "wrong") == Answer(False)

    assert doors.known("anna", "secret") is True
    assert doors.known("anna", "wrong") is False
    assert doors.known("ben", "secret") is None
    assert await doors.check(THERE, "anna", "secret") == Answer(True)
    assert checked == ["secret", "wrong"]


async def test_it_is_forgotten_after_a_while(doors, clock):
    await doors.check(HERE, "anna", "secret")
    await doors.check(HERE, "anna", "wrong")

    clock.now += REFUSED_SECONDS
    assert (doors.known("anna", "secret"), doors.known("anna", "wrong")) == (True, None)
    clock.now += ACCEPTED_SECONDS
    assert doors.known("anna", "secret") is None


async def test_user_and_password_are_told_apart(doors):
    await doors.check(HERE, "anna", "secret")

    assert doors.known("annas", "ecret") is None


async def test_who_does_not_exist_is_checked_like_others(doors, checked):
    assert await doors.check(HERE, "nobody", "secret") == Answer(False)
    assert await doors.check(HERE, "nobody", "word") == Answer(False)
    assert checked == ["secret", "word"]


async def test_without_users_nobody_comes_in(said):
    empty = Logins(Watched[Users](None, passwords.read, {}), said.append)

    assert await empty.check(HERE, "", "") == Answer(False)


async def test_many_at_once_are_one_check(doors, checked):
    answers = await asyncio.gather(*(doors.check(HERE, "anna", "secret") for _ in range(50)))

    assert set(answers) == {Answer(True)}
    assert checked == ["secret"]


async def test_a_check_goes_on_when_who_asked_is_gone(doors, checked):
    asking = asyncio.create_task(doors.check(HERE, "anna", "secret"))
    await asyncio.sleep(0)
    asking.cancel()

    assert await doors.check(HERE, "anna", "secret") == Answer(True)
    assert checked == ["secret"]


async def test_a_check_does_not_stop_the_loop(doors, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(passwords, "holds", lambda *_: release.wait(60))

    asking = asyncio.create_task(doors.check(HERE, "anna", "secret"))
    await asyncio.sleep(0.01)
    assert not asking.done()
    release.set()
    assert await asking == Answer(True)


class TestGuessing:
    async def guess(self, doors: Logins, many: int, address: str = HERE) -> list[Answer]:
        return [await doors.check(address, "anna", f"{address} {n}") for n in range(many)]

    async def test_who_guesses_has_to_wait(self, doors, clock, said, checked):
        answers = await self.guess(doors, GUESSES + 2)

        assert answers == [Answer(False)] * GUESSES + [Answer(False, round(WINDOW))] * 2
        assert len(checked) == GUESSES
        assert [one.split(" has given")[0] for one in said] == [HERE]
        clock.now += WINDOW
        assert await doors.check(HERE, "anna", "secret") == Answer(True)

    async def test_the_right_password_has_to_wait_too(self, doors):
        await self.guess(doors, GUESSES)

        assert (await doors.check(HERE, "anna", "secret")).wait > 0

    async def test_others_do_not_wait(self, doors):
        await doors.check(HERE, "ben", "word")
        await self.guess(doors, GUESSES)

        assert await doors.check(THERE, "anna", "secret") == Answer(True)
        assert await doors.check(HERE, "ben", "word") == Answer(True)

    async def test_the_same_mistake_is_one_guess(self, doors):
        for _ in range(GUESSES * 2):
            assert await doors.check(HERE, "anna", "typo") == Answer(False)

        assert await doors.check(HERE, "anna", "secret") == Answer(True)

    async def test_many_at_once_are_no_way_around(self, doors, checked):
        asked = (doors.check(HERE, "anna", str(number)) for number in range(50))

        assert sum(answer.wait > 0 for answer in await asyncio.gather(*asked)) == 50 - GUESSES
        assert len(checked) == GUESSES

    async def test_right_passwords_are_no_guesses(self, doors, clock):
        for _ in range(GUESSES * 2):
            assert await doors.check(HERE, "anna", "secret") == Answer(True)
            clock.now += 1
            doors._known.clear()

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("fd00::1", "fd00::2", True),
            ("fd00::1", "fd00:0:0:1::1", False),
            ("::ffff:10.0.0.1", "10.0.0.1", True),
            ("", "", True),
        ],
    )
    async def test_a_network_of_ipv6_is_one_address(self, doors, one, other, same):
        await self.guess(doors, GUESSES, one)

        assert ((await doors.check(other, "anna", "secret")).wait > 0) is same

    async def test_too_many_checks_at_once_are_put_off(self, doors, monkeypatch):
        release = threading.Event()
        monkeypatch.setattr(passwords, "holds", lambda *_: release.wait(60))
        asked = [
            asyncio.create_task(doors.check(f"10.1.0.{number}", "anna", str(number)))
            for number in range(logins.AT_ONCE)
        ]
        await asyncio.sleep(0)

        assert await doors.check(THERE, "anna", "secret") == Answer(False, logins.BUSY)
        release.set()
        assert {answer.ok for answer in await asyncio.gather(*asked)} == {True}

    async def test_what_is_remembered_is_bounded(self, doors, monkeypatch):
        monkeypatch.setattr(logins, "REMEMBERED", 3)
        for number in range(9):
            await doors.check(f"10.1.0.{number}", "anna", "x" * number)

        assert len(doors._known) == 3
        assert len(doors._guesses._at) == 3


class TestFile:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "htpasswd"

    def write(self, file: Path, at: int = 0, **users: str) -> None:
        hasher = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
        file.write_text("".join(f"{user}:{hasher.hash(word)}\n" for user, word in users.items()))
        os.utime(file, (1_600_000_000 + at,) * 2)

    async def test_a_change_is_in_force_at_once(self, file, said):
        self.write(file, anna="secret", ben="word")
        doors = logins.of_file(file, said.append)
        assert doors.refresh(said.append) == set()
        assert (await doors.check(HERE, "anna", "secret")).ok
        assert not (await doors.check(HERE, "new", "new")).ok

        self.write(file, 1, ben="other", new="new")
        assert doors.refresh(said.append) == {"anna", "ben"}
        assert doors.known("anna", "secret") is None
        assert not (await doors.check(HERE, "anna", "secret")).ok
        assert (await doors.check(HERE, "new", "new")).ok

    async def test_a_broken_edit_changes_nothing_and_is_told(self, file, said):
        self.write(file, anna="secret")
        doors = logins.of_file(file, said.append)
        file.write_text("anna\n")
        os.utime(file, (1_600_000_009,) * 2)

        assert [doors.refresh(said.append), doors.refresh(said.append)] == [set(), set()]
        assert (await doors.check(HERE, "anna", "secret")).ok
        assert len(said) == 1

    async def test_who_does_not_exist_takes_as_long_as_who_does(self, file, said):
        hash = argon2.PasswordHasher(time_cost=4).hash("secret")
        file.write_text(f"anna:{hash}\n")
        doors = logins.of_file(file, said.append)

        async def seconds(user: str) -> float:
            started = time.process_time()
            assert not (await doors.check(HERE, user, f"guess of {user}")).ok
            return time.process_time() - started

        known = min([await seconds("anna"), await seconds("anna")])
        assert min([await seconds("eve"), await seconds("adam")]) > known / 20
