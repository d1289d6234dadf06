"""An exported dataset to the hub, by the hub's own client."""

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from distlab.errors import UserError, brief


def check_repository(repository: str) -> None:
    """Refuse what the hub takes for no name, before anything is written.

    Raises:
        UserError: It is none.
    """
    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise UserError(f"--push {repository} is no name: write ORG/NAME ({error})") from error


def push(folder: Path, repository: str) -> str:
    """Upload a folder as a dataset; a repository that is made is private.

    Args:
        folder: What ``write_dataset`` wrote.
        repository: "org/name".

    Returns:
        Its address.

    Raises:
        UserError: The hub refuses, or cannot be reached.
    """
    api = HfApi(library_name="distlab")
    try:
        made = api.create_repo(repository, repo_type="dataset", private=True, exist_ok=True)
        api.upload_folder(
            repo_id=made.repo_id,
            repo_type="dataset",
            folder_path=folder,
            commit_message="Upload a run of distlab",
        )
    except Exception as error:  # whatever the HTTP stack raises without a network
        raise UserError(
            f"--push {repository} failed: {brief(str(error))}; the files are in {folder}; log in "
            "with `hf auth login`, or upload them yourself"
        ) from error
    return str(made)
