"""Hides user names, passwords, and tokens in everything that is printed or written to a file.

An option of an address counts as a secret unless it is known to be none. The names of secret
options can't be listed: some servers call theirs `code`, others hide a password in `options`.
"""

import base64
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

HIDDEN = "***"
"""Stands for a secret."""
OPTION = "--tracking-uri"
"""The option whose value may hold a password."""
SECRET_NAME = re.compile(
    r"pass|pwd|secret|token|bearer|jwt|session|cred|auth|odbc_connect|(^|[_-]|api|access)key|(^|[_-])sig(nature)?$",
    re.IGNORECASE,
)
"""Names of the options in an address, as in `?sslpassword=...`, whose values are surely secrets."""
HARMLESS = re.compile(
    r"host(addr)?|port|db(name)?|database|driver|charset|(client_)?encoding|unix_socket"
    r"|ssl(_?mode|rootcert|_?ca|_?cert)?|encrypt|trustservercertificate|gssencmode|channel_binding"
    r"|((connect|read|write|tcp_user)_)?timeout|keepalives|application_name|target_session_attrs",
    re.IGNORECASE,
)
"""Names of the options of databases whose values can be shown."""
PLAIN = re.compile(r"[\w.,/+ -]*")
"""Values that can't have another option in them."""
TELLING = 6
"""Characters of an unknown option's value from which on it is hidden wherever a text repeats it."""
OPTIONS = re.compile(r"(?:(?<=[?&;#])(?!/)|(?<!\S)(?=[^=/?&;#\s]+=))[^&\s]+")
"""The options of an address.

They follow `?`, `&`, `;`, or `#`, unless a path does, as in the addresses of MLflow's pages. In a
database's `host=... password=...`, which some people give instead of an address, they are words.
"""
VARIABLES = (
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "DATABRICKS_TOKEN",
    "PGPASSWORD",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
"""Environment variables with secrets that MLflow or a database driver reads."""


def masked(address: str) -> str:
    """Return the address of a store without its user and password, and without most options.

    `***` takes their place; only options that are known to hold no secret are shown. A mistyped
    address may hold a password too, so everything up to the last `@` counts as user and password,
    except in the address of a file.
    """
    scheme, slashes, rest = address.partition("://")
    if slashes and rest.startswith("/"):
        return address if "sqlite" in scheme else scheme + slashes + _masked_options(rest)
    if not slashes:
        scheme, rest = "", address
        if not re.search(r":.*@", rest, re.DOTALL) or rest.startswith(("/", "file:")):
            return _masked_options(rest)

    _, at, place = rest.rpartition("@")
    return scheme + slashes + (HIDDEN + at if at else "") + _masked_options(place)


def masked_text(text: str, address: str = "") -> str:
    """Return a text of another program without secrets.

    Args:
        text: for example an error message, or a line of a log.
        address: the address whose secrets the text may repeat, even outside an address.
    """
    for secret in sorted({*_secrets(address), *_secrets_of_environment()}, key=len, reverse=True):
        # A short word may be a part of other words, which stay readable
        pattern = re.escape(secret) if len(secret) > 3 else rf"(?<!\w){re.escape(secret)}(?!\w)"
        text = re.sub(pattern, HIDDEN, text)
    return re.sub(r"[\w+.-]+://\S+", lambda match: masked(match[0]), text)


def masked_words(words: Sequence[str]) -> list[str]:
    """Return the words of a command line without secrets."""
    clean, before = [], ""
    for word in words:
        if before == OPTION:
            clean.append(masked(word))
        elif word.startswith(f"{OPTION}="):
            clean.append(f"{OPTION}={masked(word.partition('=')[2])}")
        else:
            clean.append(masked_text(word))
        before = word
    return clean


def masked_command(words: Sequence[str]) -> str:
    """Return a command line without secrets, quoted for a shell."""
    return shlex.join(masked_words(words))


def _secrets(address: str) -> Iterator[str]:
    """Return the passwords and secret options of an address, as written and as meant."""
    if masked(address) == address:
        return
    rest = address.partition("://")[2] or address
    login, _, place = rest.rpartition("@")
    password = login.partition(":")[2]
    options = [value for name, value in _hidden_options(place) if _is_telling(name, value)]
    # Without a password, the name of a server's user is a token
    alone = "" if password or not address.startswith("http") else login.rstrip(":")
    for secret in (login if password else alone, password, *options):
        if secret:
            yield from (secret, unquote(secret))
    if password or alone:
        yield base64.b64encode((unquote(login) + ("" if ":" in login else ":")).encode()).decode()


def _secrets_of_environment() -> Iterator[str]:
    """Return the secrets that environment variables hold."""
    yield from (value for name in VARIABLES if (value := os.environ.get(name)))
    yield from _secrets(os.environ.get("MLFLOW_TRACKING_URI", ""))


def _masked_options(text: str) -> str:
    """Return the end of an address without the values of its options, but for harmless ones."""

    def shown(match: re.Match[str]) -> str:
        name, equals, _ = match[0].partition("=")
        return match[0] if _is_harmless(match[0]) else (name + equals if equals else "") + HIDDEN

    return OPTIONS.sub(shown, text)


def _hidden_options(text: str) -> Iterator[tuple[str, str]]:
    """Return the name, maybe an empty one, and the value of each option that isn't shown."""
    for match in OPTIONS.finditer(text):
        name, equals, value = match[0].partition("=")
        if not _is_harmless(match[0]):
            yield (name, value) if equals else ("", name)


def _is_harmless(option: str) -> bool:
    """Return whether an option is known to hold no secret, and its value no other option."""
    name, _, value = option.partition("=")
    return bool(HARMLESS.fullmatch(unquote(name)) and PLAIN.fullmatch(value))


def _is_telling(name: str, value: str) -> bool:
    """Return whether a text that repeats the value of a hidden option may repeat a secret."""
    return SECRET_NAME.search(unquote(name)) is not None or len(value) >= TELLING
