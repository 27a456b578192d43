"""Noting a handover in the team's replies adds one line and touches nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from shokubai import config
from shokubai.config.model import Parameters, Team
from shokubai.core.errors import UsageError
from shokubai.core.windows import Week
from shokubai.handover import record_handover, replies_file, reply_line

ID = "shop|GET /carts|route_slower"
WEEK = Week(2026, 44)
LINE = '"shop|GET /carts|route_slower": {owner: "Shop", reply: "Handed over with a packet", handed_over: 2026-W44}\n'
FILES = {
    "organization.yaml": "name: Aoba\ntime_zone: Asia/Tokyo\nlanguage: en\ncalendar: {country: JP}\n",
    "teams/shop.yaml": "name: Shop\nowns: [{service: shop}]\n",
}
Write = Callable[[str], Path]


@pytest.fixture
def parameters(tmp_path: Path) -> Parameters:
    for name, text in FILES.items():
        (tmp_path / "parameters" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "parameters" / name).write_text(text, encoding="utf-8")
    return config.load(tmp_path / "parameters")


@pytest.fixture
def shop(parameters: Parameters) -> Team:
    return parameters.team("shop")


@pytest.fixture
def write(parameters: Parameters, shop: Team) -> Write:
    def made(text: str) -> Path:
        file = replies_file(parameters, shop)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode())
        return file

    return made


def test_the_first_line_makes_the_file(parameters: Parameters, shop: Team) -> None:
    assert record_handover(ID, parameters, shop, WEEK)
    file = replies_file(parameters, shop)
    assert file == parameters.directory / "replies" / "shop.yaml"
    assert file.read_text() == LINE
    assert [each.name for each in file.parent.iterdir()] == ["shop.yaml"]


OTHER = '"shop|up|budget": {owner: Sato, reply: "on it", accepted_until: 2026-11-30}'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", LINE),
        ("# What we answer\n", "# What we answer\n" + LINE),
        (
            f"# What we answer\n{OTHER} # really\n\n# later\n",
            f"# What we answer\n{OTHER} # really\n\n# later\n{LINE}",
        ),
        (OTHER, f"{OTHER}\n{LINE}"),  # no newline at its end
        (
            f"{OTHER}\r\n",
            f"{OTHER}\r\n{LINE}".replace('packet", handed_over: 2026-W44}\n', 'packet", handed_over: 2026-W44}\r\n'),
        ),
        (f"\ufeff{OTHER}\n", f"\ufeff{OTHER}\n{LINE}"),
        (
            '"shop|up|budget":\n  owner: Sato\n  reply: on it\n',
            f'"shop|up|budget":\n  owner: Sato\n  reply: on it\n{LINE}',
        ),
        ("---\n", f"---\n{LINE}"),
    ],
    ids=[
        "empty",
        "comment",
        "comments and a reply",
        "no last newline",
        "CRLF",
        "BOM",
        "block style",
        "document start",
    ],
)
def test_a_line_is_added_and_everything_else_stays(
    parameters: Parameters, shop: Team, write: Write, before: str, after: str
) -> None:
    file = write(before)
    assert record_handover(ID, parameters, shop, WEEK)
    assert file.read_bytes().decode() == after


def test_recording_twice_changes_nothing(parameters: Parameters, shop: Team, write: Write) -> None:
    file = write(LINE)
    before = file.stat()
    assert not record_handover(ID, parameters, shop, WEEK)
    assert (file.read_text(), file.stat().st_mtime_ns, file.stat().st_ino) == (
        LINE,
        before.st_mtime_ns,
        before.st_ino,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f'# ours\n"{ID}": {{owner: Sato, reply: index comes on Thursday}}\n',
            f"{{file}}:2: {ID} has a reply already; nothing was changed. Add to it there: handed_over: 2026-W44",
        ),
        (
            f'"{ID}": {{owner: Sato, reply: gone, handed_over: 2026-W40}}\n',
            f"{{file}}:1: {ID} was handed over with the report of 2026-W40; nothing was changed. If that is no "
            "longer so, write there handed_over: 2026-W44",
        ),
        (
            f"{{{OTHER}}}\n",
            "{file}: a line at its end would not be one more reply (it must be one YAML document, a mapping in block "
            f"style); nothing was changed. Add by hand:\n{LINE.strip()}",
        ),
        (
            f"{OTHER}\n...\n",
            "{file}: a line at its end would not be one more reply (it must be one YAML document, a mapping in block "
            f"style); nothing was changed. Add by hand:\n{LINE.strip()}",
        ),
        (
            f"  {OTHER}\n",  # indented as a whole
            "{file}: a line at its end would not be one more reply (it must be one YAML document, a mapping in block "
            f"style); nothing was changed. Add by hand:\n{LINE.strip()}",
        ),
        ("- a list\n", None),
        ('"a": [\n', "{file}:2: error: file: is not YAML"),
    ],
    ids=["replied", "handed over before", "flow style", "document end", "indented", "list", "broken"],
)
def test_what_cannot_be_added_to_is_left_alone(
    parameters: Parameters, shop: Team, write: Write, text: str, message: str | None
) -> None:
    file = write(text)
    with pytest.raises(UsageError) as refusal:
        record_handover(ID, parameters, shop, WEEK)
    wanted = f"{file}: a line at its end would not" if message is None else message.replace("{file}", str(file))
    assert str(refusal.value).startswith(wanted)
    assert file.read_bytes().decode() == text


@pytest.mark.parametrize(
    "hostile",
    [
        'shop|GET /"quoted" #no comment: {a}|route_slower',
        "shop|GET /back\\slash\\n|route_slower",
        "shop|GET /line\nbreak\u2028\x07\x9f|route_slower",
        "shop|GET /請求書/'%s'/!!tag/&anchor/*alias|route_slower",
        "<<|GET /merge|route_slower",
    ],
)
def test_whatever_stands_in_an_id_is_read_back(
    parameters: Parameters, shop: Team, write: Write, hostile: str
) -> None:
    file = write(f"{OTHER}\n")
    assert record_handover(hostile, parameters, shop, WEEK)
    assert len(file.read_text().split("\n")) == 3
    read = yaml.safe_load(file.read_text())
    assert list(read) == ["shop|up|budget", hostile]
    assert read[hostile] == {"owner": "Shop", "reply": "Handed over with a packet", "handed_over": "2026-W44"}
    assert not record_handover(hostile, parameters, shop, WEEK)


def test_the_line_speaks_the_teams_language(parameters: Parameters, tmp_path: Path) -> None:
    (tmp_path / "parameters" / "teams" / "shop.yaml").write_text(
        "name: {en: Shop, ja: 店}\nlanguage: ja\nowns: [{service: shop}]\n"
    )
    team = config.load(tmp_path / "parameters").team("shop")
    assert reply_line(ID, team, WEEK) == (
        '"shop|GET /carts|route_slower": {owner: "店", reply: "引き継ぎ資料を渡しました", handed_over: 2026-W44}'
    )


def test_a_link_to_a_file_stays_a_link(parameters: Parameters, shop: Team, tmp_path: Path) -> None:
    kept = tmp_path / "kept.yaml"
    kept.write_text(f"{OTHER}\n")
    link = replies_file(parameters, shop)
    link.parent.mkdir()
    link.symlink_to(kept)
    assert record_handover(ID, parameters, shop, WEEK)
    assert link.is_symlink()
    assert kept.read_text() == f"{OTHER}\n{LINE}"
