"""Tokens encrypted in the store: with a key, with another one, with none, and with one that came later."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import keyring
import pytest
from command_driver import Command
from exactonline_client.errors import ConfigurationError
from exactonline_client.store import Store
from exactonline_client.tokens import TokenSet, TokenStore
from exactonline_client.vault import KEY_VARIABLE, KEYRING_NAME, KEYRING_SERVICE, Vault, new_key
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from sandbox_driver import Sandbox
from singer_driver import ABSENT, Project

NOW = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
SITE = "https://start.exactonline.nl"
PAIR = TokenSet("access-in-clear", "refresh-in-clear", NOW, NOW + timedelta(seconds=600))


class Ring(KeyringBackend):
    """A keyring that holds one password."""

    priority = 1  # type: ignore[assignment] # the backend declares a property of the class

    def __init__(self, password: str) -> None:
        super().__init__()
        self.password = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.password if (service, username) == (KEYRING_SERVICE, KEYRING_NAME) else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key from this machine."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def command(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(sandbox, tmp_path)


def log_in(folder: Path, vault: Vault) -> None:
    with Store.open(f"sqlite:///{folder}/store.db") as store:
        TokenStore(store, SITE, "app", vault).log_in(PAIR)


def read(folder: Path, vault: Vault) -> TokenSet | None:
    with Store.open(f"sqlite:///{folder}/store.db") as store:
        kept = TokenStore(store, SITE, "app", vault).get()
    return kept.tokens if kept else None


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("store.db*")))


def test_with_a_key_no_token_lies_in_clear_and_a_run_works(
    command: Command, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.env[KEY_VARIABLE] = key = new_key()

    ran = command.log_in()

    assert (ran.status, ran.json["tokens_encrypted"]) == (0, True)
    assert b"stampNL001" not in bytes_of(tmp_path)
    assert key.encode() not in bytes_of(tmp_path)
    monkeypatch.setenv(KEY_VARIABLE, key)
    assert Project(sandbox, tmp_path).read(refresh_token=ABSENT).status == 0


def test_without_a_key_all_stays_as_it_was(tmp_path: Path) -> None:
    log_in(tmp_path, Vault())

    assert read(tmp_path, Vault()) == PAIR
    assert b"refresh-in-clear" in bytes_of(tmp_path)


def test_a_key_that_comes_later_encrypts_what_is_there(tmp_path: Path) -> None:
    log_in(tmp_path, Vault())
    vault = Vault(new_key())

    first = read(tmp_path, vault)

    assert first == read(tmp_path, vault) == PAIR
    assert b"in-clear" not in bytes_of(tmp_path)


def test_a_chain_that_was_set_aside_is_encrypted_too(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        tokens = TokenStore(store, SITE, "app", Vault())
        tokens.log_in(PAIR)
        tokens.start("new-in-clear", TokenSet("", "new-in-clear", NOW, NOW))

    read(tmp_path, Vault(new_key()))

    assert b"in-clear" not in bytes_of(tmp_path)


@pytest.mark.parametrize(
    ("vault", "told"),
    [
        (Vault(), f"encrypted, and no key is given: set {KEY_VARIABLE}"),
        (Vault(new_key()), "encrypted with another key"),
        (Vault("no key"), f"{KEY_VARIABLE} holds no key: `exactonline new-key` makes one"),
        (Vault("ümlaut"), f"{KEY_VARIABLE} holds no key"),
    ],
    ids=["none", "another", "nonsense", "not even ASCII"],
)
def test_what_cannot_be_decrypted_is_told_and_kept(tmp_path: Path, vault: Vault, told: str) -> None:
    right = Vault(new_key())
    log_in(tmp_path, right)

    with pytest.raises(ConfigurationError, match=told):
        read(tmp_path, vault)

    assert read(tmp_path, right) == PAIR


@pytest.mark.parametrize("key", [None, new_key()], ids=["none", "another"])
def test_the_commands_and_a_run_say_that_the_key_is_wrong(
    command: Command, sandbox: Sandbox, tmp_path: Path, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.log_in(env={KEY_VARIABLE: new_key()})
    if key:
        monkeypatch.setenv(KEY_VARIABLE, key)
    command.env[KEY_VARIABLE] = key

    login, status = command.run("login"), command.run("status")
    read = Project(sandbox, tmp_path).read()
    logout, after = command.run("logout"), command.log_in()

    for ran in (login, status):
        assert (ran.status, "encrypted" in ran.errors) == (1, True)
    assert (read.status, "The tokens in the store are encrypted" in read.log) == (1, True)
    assert (logout.status, after.status) == (0, 0)


def test_the_key_may_be_in_the_keyring_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring.set_keyring(Ring("from the ring"))

    assert Vault.of_environment().key == "from the ring"
    monkeypatch.setenv(KEY_VARIABLE, "from the environment")
    assert Vault.of_environment().key == "from the environment"


def test_a_system_without_a_keyring_has_no_key() -> None:
    assert Vault.of_environment().key is None


def test_without_the_extra_a_key_is_told_what_it_needs(monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    key = new_key()
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    monkeypatch.setitem(sys.modules, "keyring", None)

    ran = command.run("new-key")

    assert (ran.status, ran.errors.count("\n")) == (1, 1)
    assert "install exactonline-client[vault]" in ran.errors
    assert Vault.of_environment().key is None
    with pytest.raises(ConfigurationError, match="install exactonline-client"):
        Vault(key).seal("token")


def test_a_new_key_is_one_and_never_the_same(command: Command, tmp_path: Path) -> None:
    one, other = command.run("new-key").output.strip(), command.run("new-key").output.strip()

    log_in(tmp_path, Vault(one))

    assert one != other
    assert read(tmp_path, Vault(one)) == PAIR


def test_a_key_is_not_shown() -> None:
    assert "s3cr3t" not in repr(Vault("s3cr3t"))
    assert "s3cr3t" not in str(SimpleNamespace(vault=Vault("s3cr3t")))
