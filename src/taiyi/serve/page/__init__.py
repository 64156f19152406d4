"""The page of a server: tasks with what is found in place, chat, the corpora of the catalogue, and the run's report."""

from taiyi.serve.page.attaching import attach

__all__ = ["attach"]
