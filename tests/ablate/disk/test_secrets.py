"""No password, token, or user name of an address is printed or written."""

import pytest

from ablate.disk.secrets import masked, masked_command, masked_text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://u:PW@h/db", "postgresql://***@h/db"),
        ("postgresql+psycopg2://u:P/W@h:5432/db", "postgresql+psycopg2://***@h:5432/db"),
        ("http://user:P@W@host:5000", "http://***@host:5000"),
        ("https://PW@host/x?next=a&access_token=PW&b=1", "https://***@host/x?next=***&access_token=***&b=***"),
        ("postgresql:///db?host=/run&pass%77ord=PW", "postgresql:///db?host=/run&pass%77ord=***"),
        ("postgresql://h/db?options=-c%20password%3DPW", "postgresql://h/db?options=***"),
        ("postgresql://h/db?sslmode=require&service=PW", "postgresql://h/db?sslmode=require&service=***"),
        ("postgresql://h/db?sslmode=require;password=PW", "postgresql://h/db?sslmode=***"),
        ("postgresql://h/db?host=a%26password%3DPW&port=1", "postgresql://h/db?host=***&port=1"),
        ("mysql://h/db?ssl_ca=/etc/ca.pem&read_timeout=5", "mysql://h/db?ssl_ca=/etc/ca.pem&read_timeout=5"),
        ("https://host/api?code=PW", "https://host/api?code=***"),
        ("https://host/api?code=PW?x#/PW", "https://host/api?code=***"),
        ("https://host/?PW", "https://host/?***"),
        ("https://host/?a&PW", "https://host/?***&***"),
        ("https://host/#PW", "https://host/#***"),
        ("https://host/#/experiments/1?code=PW", "https://host/#/experiments/1?code=***"),
        ("hostaddr=h;password=PW user=u", "hostaddr=*** user=***"),
        ("mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3DPW", "mssql+pyodbc:///?odbc_connect=***"),
        ("https://host/#access_token=PW", "https://host/#access_token=***"),
        ("https://host/;jwt=PW", "https://host/;jwt=***"),
        ("host=h user=u password=PW dbname=x", "host=h user=*** password=*** dbname=x"),
        ("u:PW@host", "***@host"),
        ("postgresql:/u:PW@host/db", "***@host/db"),
        ("http://host:5000", "http://host:5000"),
        ("sqlite:////out/a@b:c?token=1/mlflow.db", "sqlite:////out/a@b:c?token=1/mlflow.db"),
        ("/out/a:b@c", "/out/a:b@c"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_secrets(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_a_command_line_stays_readable() -> None:
    words = ["g2g-ablate", "run", "a b.yaml", "--tracking-uri", "u:P W@h", "--out", "x:y@z"]
    assert masked_command(words) == "g2g-ablate run 'a b.yaml' --tracking-uri '***@h' --out x:y@z"
    assert masked_command(["--tracking-uri=http://u:PW@h"]) == "'--tracking-uri=http://***@h'"


def test_texts_of_others_repeat_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ann")
    text = (
        "cannot reach postgresql://u:p%2Fw@h/db: password 'p/w' or 'p%2Fw' of ann is wrong; "
        "header dTpwL3c=, bearer t0ken, (http://other:PW@h/x), an annual plan"
    )
    shown = masked_text(text, "postgresql://u:p%2Fw@h/db")
    assert shown == (
        "cannot reach postgresql://***@h/db: password '***' or '***' of *** is wrong; "
        "header ***, bearer ***, (http://***@h/x), an annual plan"
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://host/api?code=s3cret9",
        "https://host/api?s3cret9",
        "postgresql://h/db?options=-c%20password%3Ds3cret9",
    ],
)
def test_values_of_unknown_options_are_hidden_elsewhere_too(address: str) -> None:
    value = address.partition("?")[2].removeprefix("code=").removeprefix("options=")
    assert masked_text(f"cannot use '{value}'", address) == "cannot use '***'"
    # Short values are parts of ordinary texts
    assert masked_text("page 5 of 10", "https://host/?page=5") == "page 5 of 10"


@pytest.mark.parametrize("login", ["t0ken", "t0ken:"])
def test_a_user_without_a_password_is_a_token(login: str) -> None:
    text = masked_text("user t0ken, header dDBrZW46, of host", f"https://{login}@host")
    assert text == "user ***, header ***, of host"
