"""How often one may log in: ten a minute from one address, and no way around that by HTTP Basic."""

from concurrent.futures import ThreadPoolExecutor

from tests.support.admin_api import Account, AdminApi
from tests.support.face_api import error


def from_address(url: str, address: str, account: Account | None = None) -> AdminApi:
    return AdminApi(url, account, **{"X-Forwarded-For": address})


def test_ten_logins_a_minute_from_an_address_right_or_wrong(proxied, account, address):
    wrong = Account(account.username, "a wrong password")
    with from_address(proxied, address) as client:
        answers = [client.login(account if turn % 2 else wrong) for turn in range(12)]
    assert [answer.status_code for answer in answers] == [401, 204] * 5 + [429] * 2
    assert error(answers[-1])[0] == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_another_address_is_not_touched(proxied, account, address):
    with from_address(proxied, address) as client:
        while client.login(account).status_code != 429:
            pass
    with from_address(proxied, "192.0.2.77") as client:
        assert client.login(account).status_code == 204


def test_wrong_basic_credentials_are_counted(proxied, account, address):
    wrong = Account(account.username, "a wrong password")
    with from_address(proxied, address, wrong) as client:
        answers = [client.get("/auth/session") for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_wrong_basic_credentials_and_logins_are_counted_together(proxied, account, address):
    wrong = Account(account.username, "a wrong password")
    with from_address(proxied, address) as client, from_address(proxied, address, wrong) as basic:
        assert [client.login(wrong).status_code for _ in range(5)] == [401] * 5
        assert [basic.get("/auth/session").status_code for _ in range(6)] == [401] * 5 + [429]
        assert client.login(account).status_code == 429


def test_guesses_that_are_sent_at_once_are_counted_too(proxied, account, address):
    wrong = Account(account.username, "a wrong password")
    with from_address(proxied, address, wrong) as client, ThreadPoolExecutor(40) as pool:
        statuses = list(pool.map(lambda _: client.get("/auth/session").status_code, range(40)))
    assert sorted(statuses) == [401] * 10 + [429] * 30


def test_right_basic_credentials_are_never_limited(proxied, account, address):
    with from_address(proxied, address, account) as client:
        assert {client.get("/auth/session").status_code for _ in range(60)} == {200}


def test_who_was_let_through_stays_so_while_another_behind_the_same_address_guesses(proxied, account, address):
    wrong = Account(account.username, "a wrong password")
    with from_address(proxied, address, account) as client, from_address(proxied, address, wrong) as guesser:
        assert client.get("/auth/session").status_code == 200
        while guesser.get("/auth/session").status_code != 429:
            pass
        assert client.get("/auth/session").status_code == 200


def test_a_session_is_not_limited(proxied, account, address):
    with from_address(proxied, address) as client:
        client.login(account)
        assert {client.get("/auth/session").status_code for _ in range(60)} == {200}
