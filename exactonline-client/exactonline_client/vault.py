"""Tokens encrypted where they are kept, by a key that is not kept beside them. Without a key they stay as they are.

The key is EXACTONLINE_STORE_KEY, or else the password of `exactonline-client` and `store-key` in the system's keyring.
Both need the extra `exactonline-client[vault]`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exactonline_client.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_VARIABLE = "EXACTONLINE_STORE_KEY"
KEYRING_SERVICE = "exactonline-client"
KEYRING_NAME = "store-key"
_MARK = "fernet:"
_NOT_INSTALLED = "Encryption needs the package cryptography: install exactonline-client[vault]."


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals texts with a key, or leaves them as they are without one."""

    key: str | None = field(default=None, repr=False)

    @classmethod
    def of_environment(cls) -> Vault:
        """The vault of the key that this process is given."""
        return cls(os.environ.get(KEY_VARIABLE) or _key_of_keyring())

    def seal(self, text: str) -> str:
        """The text as it may lie in the store.

        Raises:
            ConfigurationError: The key cannot be used.
        """
        if self.key is None:
            return text
        return _MARK + str(_fernet(self.key).encrypt(text.encode()), "ascii")

    def unseal(self, kept: str) -> str:
        """The text that was sealed, or that lies there in clear.

        Raises:
            ConfigurationError: It is sealed, and the key is missing or another one.
        """
        if not is_sealed(kept):
            return kept
        if self.key is None:
            raise ConfigurationError(
                f"The tokens in the store are encrypted, and no key is given: set {KEY_VARIABLE} to the key that they "
                "were encrypted with, or log in anew after `exactonline logout`."
            )
        fernet = _fernet(self.key)
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - an extra

        try:
            return fernet.decrypt(kept.removeprefix(_MARK)).decode()
        except InvalidToken:
            raise ConfigurationError(
                f"The tokens in the store are encrypted with another key than {KEY_VARIABLE} (or the system's keyring) "
                "holds: give that key, or log in anew after `exactonline logout`."
            ) from None


def is_sealed(kept: str) -> bool:
    """Whether a text of the store is encrypted."""
    return kept.startswith(_MARK)


def new_key() -> str:
    """A fresh random key.

    Raises:
        ConfigurationError: The extra is not installed.
    """
    try:
        from cryptography.fernet import Fernet  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigurationError(_NOT_INSTALLED) from None
    return str(Fernet.generate_key(), "ascii")


def _fernet(key: str) -> Fernet:
    try:
        from cryptography.fernet import Fernet  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigurationError(_NOT_INSTALLED) from None
    try:
        return Fernet(key)
    except ValueError:
        raise ConfigurationError(f"{KEY_VARIABLE} holds no key: `exactonline new-key` makes one.") from None


def _key_of_keyring() -> str | None:
    try:
        import keyring  # noqa: PLC0415 - an extra
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        return None
    try:
        return keyring.get_password(KEYRING_SERVICE, KEYRING_NAME)
    except KeyringError:
        return None  # this system has no keyring, or it is locked: what is encrypted says so when it is read
