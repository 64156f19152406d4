"""The pictures of this folder, of a run that was evaluated: `python docs/pictures/make.py RUN`.

`page.png` is what its page finds in an example, `report.png` the head of its report; both by `taiyi serve RUN`, in
Chromium.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("TAIYI_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
WIDTH, HEIGHT = 1280, 900
_MOST_BYTES = 200_000


@contextmanager
def served(model: str) -> Generator[str]:
    """Serve a model while it is asked; yields the address of its page."""
    command = [sys.executable, "-m", "taiyi", "serve", model, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        said = ""
        try:
            for line in process.stderr or ():
                said += line
                if found := re.match(r"page: (\S+)", line):
                    yield found[1]
                    return
            raise SystemExit(said)
        finally:
            process.terminate()


def page(at: str, browser: Page) -> bytes:
    """Return a picture of the entities of the page's example."""
    browser.goto(at)
    browser.click("#example")
    browser.click("#run")
    browser.locator("mark").nth(1).hover()
    browser.click("#found summary")
    return browser.screenshot()


def report(at: str, browser: Page) -> bytes:
    """Return a picture of the first scores of the report, down to the end of a row."""
    browser.goto(f"{at}/report/report.html")
    rows = browser.locator("tbody tr").all()
    ends = [box["y"] + box["height"] for row in rows if (box := row.bounding_box())]
    end = max((end for end in ends if end <= HEIGHT), default=HEIGHT)
    return browser.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": end})


def save(picture: bytes, path: Path) -> None:
    """Write a picture in as many colours as it needs to be small."""
    small = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(128).save(small, "PNG", optimize=True)
    if len(small.getvalue()) > _MOST_BYTES:
        raise SystemExit(f"{path} has {len(small.getvalue()):,} bytes")
    path.write_bytes(small.getvalue())
    print(f"{path}: {len(small.getvalue()):,} bytes")


def main() -> None:
    """Make both pictures, or that of the page where the model is no run with a report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="a run; or any other model, for page.png alone")
    given = parser.parse_args()
    size: Any = {"width": WIDTH, "height": HEIGHT}
    with served(given.run) as at, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport=size, locale="en-US", color_scheme="light")
        save(page(at, shown), HERE / "page.png")
        if shown.request.get(f"{at}/report/report.html").ok:
            save(report(at, shown), HERE / "report.png")


if __name__ == "__main__":
    main()
