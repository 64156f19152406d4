"""Fetching corpora from a server of our own: whole, cut, changed, refused, and unpacked within bounds."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import hashlib
import io
import json
import lzma
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi import catalogue
from taiyi.catalogue import Corpus, Download
from taiyi.catalogue.fetch import fetch
from taiyi.catalogue.unpack import unpack
from taiyi.errors import CorpusError, TaiyiError

CHIP = "肺部感染。|||0    3    dis|||\n咳嗽。|||0    1    sym|||\n".encode()
BIG = bytes(range(256)) * 4000


@dataclass
class Server:
    """What the server has, how it misbehaves, and what it was asked."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    """The next answers end after so many bytes."""
    refuse: list[int] = field(default_factory=list)
    """The next answers are these statuses."""
    ranges: bool = True
    tag: str = '"one"'
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            state.asked.append({key.lower(): value for key, value in self.headers.items()} | {"path": self.path})
            if state.refuse:
                self.send_response(state.refuse.pop(0))
                self.send_header("Retry-After", "7")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data = state.files.get(self.path)
            if data is None:
                self.send_error(404)
                return
            begin = 0
            given = self.headers.get("Range", "")
            if state.ranges and given and self.headers.get("If-Range") == state.tag:
                begin = int(given.removeprefix("bytes=").removesuffix("-"))
                if begin >= len(data):
                    self.send_response(416)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - begin))
            if state.tag:
                self.send_header("ETag", state.tag)
            self.end_headers()
            limit = state.cut_after.pop(0) if state.cut_after else len(data)
            self.wfile.write(data[begin : begin + limit])
            if limit < len(data) - begin:
                self.close_connection = True
                self.connection.close()

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{httpd.server_port}"
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def corpus_of(*downloads: Download) -> Corpus:
    chip = catalogue.get("cmeee_chip2020")
    return dataclasses.replace(
        chip, files={"train": chip.files["train"]}, counts={"train": {"records": 2}}, copies=(), downloads=downloads
    )


def plain(server: Server, **options: object) -> Corpus:
    server.files["/train_data_all.txt"] = CHIP
    return corpus_of(Download(url=f"{server.address}/train_data_all.txt", **options))  # pyright: ignore[reportArgumentType]


def waits() -> tuple[list[float], object]:
    slept: list[float] = []
    return slept, slept.append


def test_a_file_is_fetched_and_read(server: Server, tmp_path: Path) -> None:
    corpus = plain(server, sha256=hashlib.sha256(CHIP).hexdigest())
    seen: list[tuple[str, int, int | None]] = []
    outcome = fetch(corpus, tmp_path, progress=lambda *at: seen.append(at))
    assert outcome.state == "fetched"
    assert seen[-1] == ("train_data_all.txt", len(CHIP), len(CHIP))
    assert catalogue.check(corpus, tmp_path).status == "ok"
    assert fetch(corpus, tmp_path).state == "there"
    assert len(server.asked) == 1


def test_what_the_user_has_is_recognised_without_a_download(server: Server, tmp_path: Path) -> None:
    corpus = plain(server)
    (tmp_path / corpus.folder).mkdir()
    (tmp_path / corpus.folder / "train_data_all.txt").write_bytes(CHIP)
    outcome = fetch(corpus, tmp_path)
    assert outcome.state == "there"
    assert "train (official)" in outcome.said
    assert server.asked == []


def test_a_cut_connection_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.files["/train_data_all.txt"] = BIG
    server.cut_after = [300_000, 200_000]
    slept, sleep = waits()
    download = Download(url=f"{server.address}/train_data_all.txt", sha256=hashlib.sha256(BIG).hexdigest())
    assert fetch(corpus_of(download), tmp_path, sleep=sleep).state == "fetched"  # pyright: ignore[reportArgumentType]
    assert (tmp_path / "cmeee_chip2020" / "train_data_all.txt").read_bytes() == BIG
    starts = [int(asked["range"][6:-1]) for asked in server.asked[1:]]
    assert 0 < starts[0] < starts[1] <= 500_000
    assert slept == [1.0, 2.0]


def test_a_later_call_goes_on_too(server: Server, tmp_path: Path) -> None:
    server.files["/train_data_all.txt"] = BIG
    server.cut_after = [100_000] + [0] * 5
    corpus = corpus_of(Download(url=f"{server.address}/train_data_all.txt"))
    with pytest.raises(CorpusError, match="goes on after the"):
        fetch(corpus, tmp_path, sleep=lambda _: None)
    assert fetch(corpus, tmp_path).state == "fetched"
    assert server.asked[-1]["range"].startswith("bytes=")
    assert (tmp_path / "cmeee_chip2020" / "train_data_all.txt").read_bytes() == BIG


@pytest.mark.parametrize(("ranges", "tag"), [(False, '"one"'), (True, '"two"'), (True, ""), (True, 'W/"one"')])
def test_a_file_that_changed_or_cannot_be_had_in_part_is_got_anew(
    server: Server, tmp_path: Path, ranges: bool, tag: str
) -> None:
    server.files["/train_data_all.txt"] = BIG[::-1]
    server.cut_after = [100_000] + [0] * 5
    corpus = corpus_of(Download(url=f"{server.address}/train_data_all.txt"))
    with pytest.raises(CorpusError):
        fetch(corpus, tmp_path, sleep=lambda _: None)
    server.files["/train_data_all.txt"], server.ranges, server.tag = BIG, ranges, tag
    assert fetch(corpus, tmp_path).state == "fetched"
    assert (tmp_path / "cmeee_chip2020" / "train_data_all.txt").read_bytes() == BIG


def test_a_busy_server_is_asked_again_when_it_says(server: Server, tmp_path: Path) -> None:
    corpus = plain(server)
    server.refuse = [503, 429]
    slept, sleep = waits()
    assert fetch(corpus, tmp_path, sleep=sleep).state == "fetched"  # pyright: ignore[reportArgumentType]
    assert slept == [7.0, 7.0]


def test_a_file_that_is_gone_is_said_at_once(server: Server, tmp_path: Path) -> None:
    corpus = corpus_of(Download(url=f"{server.address}/moved.txt"))
    with pytest.raises(CorpusError, match=r"moved\.txt: cannot be downloaded: the server answers 404.*may have moved"):
        fetch(corpus, tmp_path)
    assert len(server.asked) == 1


def test_no_server_is_said_after_some_attempts(tmp_path: Path) -> None:
    slept, sleep = waits()
    corpus = corpus_of(Download(url="http://127.0.0.1:9/x.txt"))
    with pytest.raises(CorpusError, match="cannot be downloaded"):
        fetch(corpus, tmp_path, sleep=sleep)  # pyright: ignore[reportArgumentType]
    assert slept == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_a_wrong_checksum_is_refused_and_nothing_is_left(server: Server, tmp_path: Path) -> None:
    corpus = plain(server, sha256="0" * 64)
    with pytest.raises(CorpusError, match=r"not the one that was expected; got sha256 [0-9a-f]{64}; expected 0{64}"):
        fetch(corpus, tmp_path)
    assert not (tmp_path / corpus.folder / "train_data_all.txt").exists()
    assert not list((tmp_path / ".downloads").rglob("*.part"))


def test_a_checksum_that_nobody_published_is_that_of_the_first_time(server: Server, tmp_path: Path) -> None:
    corpus = plain(server)
    fetch(corpus, tmp_path)
    server.files["/train_data_all.txt"] = CHIP * 2
    with pytest.raises(CorpusError, match="If its authors have changed it, delete"):
        fetch(corpus, tmp_path, again=True)
    (record,) = (tmp_path / ".downloads" / corpus.name).rglob("train_data_all.txt.got.json")
    assert json.loads(record.read_text())["sha256"] == hashlib.sha256(CHIP).hexdigest()
    record.unlink()
    assert fetch(corpus, tmp_path, again=True).state == "fetched"


def test_a_download_without_the_expected_files_is_an_error(server: Server, tmp_path: Path) -> None:
    server.files["/other.txt"] = CHIP
    corpus = corpus_of(Download(url=f"{server.address}/other.txt"))
    with pytest.raises(CorpusError, match=r"holds none of the files.*expected train_data_all\.txt"):
        fetch(corpus, tmp_path)


def test_two_files_of_the_same_name_are_told_apart(server: Server, tmp_path: Path) -> None:
    server.files |= {"/a/x.txt": CHIP, "/b/x.txt": CHIP * 2}
    downloads = (
        Download(url=f"{server.address}/a/x.txt", path="train_data_all.txt"),
        Download(url=f"{server.address}/b/x.txt", path="more/x.txt"),
    )
    fetch(corpus_of(*downloads), tmp_path)
    assert fetch(corpus_of(*downloads), tmp_path, again=True).state == "fetched"
    assert (tmp_path / "cmeee_chip2020" / "more" / "x.txt").read_bytes() == CHIP * 2


def test_a_gated_corpus_says_what_to_sign_and_where_to_put_it(tmp_path: Path) -> None:
    corpus = dataclasses.replace(corpus_of(), obtain="Register at Tianchi and accept the terms.")
    outcome = fetch(corpus, tmp_path)
    assert outcome.state == "gated"
    assert "Register at Tianchi" in outcome.said
    assert corpus.homepage in outcome.said
    assert str(tmp_path / corpus.folder) in outcome.said
    assert "train_data_all.txt" in outcome.said


# --- Archives ---------------------------------------------------------------------------------------------------------


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:  # pyright: ignore[reportCallIssue, reportArgumentType]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def put(folder: Path, data: bytes, name: str = "archive") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


MEMBERS = {"top/a.txt": b"one", "top/inner/b.txt": b"two", "top/readme.md": b"three"}


@pytest.mark.parametrize("data", [zipped(MEMBERS), tarred(MEMBERS), tarred(MEMBERS, "w:xz"), tarred(MEMBERS, "w")])
def test_archives_are_unpacked(tmp_path: Path, data: bytes) -> None:
    folder = tmp_path / "out"
    assert unpack(put(tmp_path, data), folder, strip=1, members=("*.txt",)) == ["a.txt", "inner/b.txt"]
    assert (folder / "inner" / "b.txt").read_bytes() == b"two"
    assert not (folder / "readme.md").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "out"]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_single_compressed_files_are_unpacked(tmp_path: Path, compress: object) -> None:
    path = put(tmp_path, compress(BIG), "corpus.xml.gz")  # pyright: ignore[reportCallIssue]
    assert unpack(path, tmp_path / "out") == ["corpus.xml"]
    assert (tmp_path / "out" / "corpus.xml").read_bytes() == BIG


def test_names_in_gbk_are_understood(tmp_path: Path) -> None:
    data = zipped({"????.csv": b"1"}).replace(b"????.csv", "样例".encode("gbk") + b".csv")
    assert unpack(put(tmp_path, data), tmp_path / "out") == ["样例.csv"]


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a/../../evil.txt", "..\\evil.txt", "C:/evil.txt"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_members_outside_the_folder_are_refused(tmp_path: Path, name: str, pack: object) -> None:
    path = put(tmp_path, pack({"fine.txt": b"1", name: b"2"}))  # pyright: ignore[reportCallIssue]
    with pytest.raises(CorpusError, match="outside the folder"):
        unpack(path, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    assert not (tmp_path / "evil.txt").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = kind, "/etc/passwd"
        file.addfile(info)
    with pytest.raises(CorpusError, match="a link or a device"):
        unpack(put(tmp_path, buffer.getvalue()), tmp_path / "out")


def test_a_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(info, "/etc/passwd")
    with pytest.raises(CorpusError, match="is a link"):
        unpack(put(tmp_path, buffer.getvalue()), tmp_path / "out")


def test_an_archive_that_explodes_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, zipped({"zeros": bytes(80 << 20)}))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(CorpusError, match="beyond reason"):
        unpack(path, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("flag", [0x01, 0x20], ids=["encrypted", "patched"])
def test_an_archive_that_cannot_be_read_is_refused(tmp_path: Path, flag: int) -> None:
    data = bytearray(zipped({"a.txt": b"one"}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= flag
    with pytest.raises(CorpusError, match="the archive is damaged"):
        unpack(put(tmp_path, bytes(data)), tmp_path / "out")


def test_an_archive_whose_index_points_before_its_beginning_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.txt": b"one"}))
    # The end record says where the index begins; said too late, members stand at negative offsets.
    data[-6:-2] = (len(data)).to_bytes(4, "little")
    with pytest.raises(CorpusError, match="the archive is damaged"):
        unpack(put(tmp_path, bytes(data)), tmp_path / "out")


def test_an_archive_without_what_was_expected_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"none of the files that were expected; expected \*\.ann"):
        unpack(put(tmp_path, zipped(MEMBERS)), tmp_path / "out", members=("*.ann",))


@given(data=st.data())
def test_a_damaged_archive_is_unpacked_whole_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    packed = data.draw(st.sampled_from([zipped(MEMBERS), tarred(MEMBERS), tarred(MEMBERS, "w"), gzip.compress(BIG)]))
    start = data.draw(st.integers(0, len(packed)))
    new = data.draw(st.one_of(st.just(b""), st.binary(max_size=8)))
    tail = data.draw(st.sampled_from([b"", packed[start + len(new) :]]))
    tmp_path = tmp_path_factory.mktemp("damage")
    try:
        names = unpack(put(tmp_path, packed[:start] + new + tail), tmp_path / "out")
    except TaiyiError:
        assert not list((tmp_path / "out").iterdir())
    else:
        assert names
        assert all((tmp_path / "out" / name).is_file() for name in names)
