import pytest

from distlab.credentials import refuse_credentials, refuse_typed
from distlab.errors import UserError

HUB = "hf_" + "aB3" * 11


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("s3://KEY:SECRET@bucket/path", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("s3://KEY:SEC/RET+x=@bucket", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("S3://KEY:SECRET@bucket", "AWS_ACCESS_KEY_ID"),
        ("s3://KEY@bucket", "AWS_ACCESS_KEY_ID"),
        ("gs://me:SECRET@bucket", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("abfs://box:SECRET@account.dfs.core.windows.net", "AZURE_CLIENT_SECRET"),
        ("https://me:12345@host/data.jsonl", "HF_TOKEN"),
        ("https://SECRET@host/data.jsonl", "HF_TOKEN"),
        ("https://host/data.jsonl?x=1&X-Amz-Signature=SECRET", "HF_TOKEN"),
        ("ftp://me:SECRET@host", "what that service asks for"),
        (HUB, "HF_TOKEN"),
        (f"org/name@{HUB}", "HF_TOKEN"),
    ],
)
def test_credentials_are_refused_and_not_repeated(text: str, variables: str) -> None:
    with pytest.raises(UserError, match="`store` holds credentials") as refusal:
        refuse_credentials("`store`", text)
    assert variables in str(refusal.value)
    assert not {"SECRET", "SEC/RET", "KEY:", HUB, "12345"} & set(str(refusal.value).split())
    assert text not in str(refusal.value)


def test_a_servers_key_is_sent_to_the_variable_that_the_config_names() -> None:
    address = "http://me:SECRET@localhost:1/v1"
    for word in (
        f"cluster.base_url={address}",
        f"cluster={{base_url: '{address}'}}",
        f"cluster.base_url='{address}?token=x'",
    ):
        with pytest.raises(UserError, match=r"name that in `cluster\.api_key_env`$") as refusal:
            refuse_typed([word])
        assert "HF_TOKEN" not in str(refusal.value)
        assert "SECRET" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        *("store", "~/st@re", "s3://bucket/path", "s3://bucket/a:b/c@d", "org/name", "hf_space"),
        *("http://127.0.0.1:8265", "https://host:8080/name@rev", "s3://b?endpoint_override=h:9000"),
        *("abfs://box@account.dfs.core.windows.net/path", "gs://anonymous@bucket"),
        "hdfs://me@host:8020/path",
    ],
)
def test_addresses_without_any_pass(text: str) -> None:
    refuse_credentials("`store`", text)
    refuse_typed([f"store={text}", text])


def test_a_command_line_is_refused_by_key_wherever_the_value_stands() -> None:
    for word, place in (
        ("store=s3://KEY:SECRET@b", "`store`"),
        ("+dataset.sets.x={path: 's3://KEY:SECRET@b'}", "`+dataset.sets.x`"),
        ("--store=s3://KEY:SECRET@b", "`--store`"),
        ("s3://KEY:SECRET@b?region=x", "the command line"),
    ):
        with pytest.raises(UserError) as refusal:
            refuse_typed(["seed=1", word])
        assert str(refusal.value).startswith(f"{place} holds credentials")
