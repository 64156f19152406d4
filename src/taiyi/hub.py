"""Whether a model of the Hugging Face hub can be had: found out before libraries try for a minute."""

from __future__ import annotations

from pathlib import Path

from taiyi.errors import ModelError

_SECONDS = 10.0
_FILES = ("config.json", "adapter_config.json")


def reach(model: str) -> None:
    """Find out whether a model is in the hub's cache or can be downloaded; of a folder or file, do nothing.

    The hub is asked once. What else may be wrong, such as terms that were not agreed to, is left to be said by what
    loads the model.

    Raises:
        ModelError: the model is not in the cache, and the hub has none of this name or cannot be reached.
    """
    if Path(model).expanduser().exists():
        return
    import httpx2
    from huggingface_hub import (
        get_hf_file_metadata,  # pyright: ignore[reportUnknownVariableType]: of a parameter that is not given
        hf_hub_url,
        try_to_load_from_cache,
    )
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    try:
        if any(isinstance(try_to_load_from_cache(model, name), str) for name in _FILES):
            return
        get_hf_file_metadata(hf_hub_url(model, _FILES[0]), timeout=_SECONDS)
    except HFValidationError as error:
        raise _absent(model, "no such folder, and no name that the hub gives") from error
    except RepositoryNotFoundError as error:
        if not isinstance(error, GatedRepoError):
            raise _absent(model, "no such folder, and the hub has no such model that you may read") from error
    except HfHubHTTPError:
        return
    except (httpx2.TransportError, ConnectionError) as error:
        raise _absent(
            model, f"no such folder, none in the hub's cache, and the hub is not reached ({error})"
        ) from error


def _absent(model: str, found: str) -> ModelError:
    return ModelError(
        "the model cannot be loaded",
        where=model,
        got=found,
        expected="a run, a folder with config.json and a tokenizer, or the id of a model of the Hugging Face hub",
        mend="correct the name, or let this machine reach the hub",
    )
