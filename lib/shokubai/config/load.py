"""Reading and checking the whole of a ``parameters/`` folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from shokubai.config.located import Node, Problems, nearest, read_documents
from shokubai.config.model import Agenda, Parameters, Rules, Team
from shokubai.config.organization import read_organization
from shokubai.config.replies import read_replies
from shokubai.config.rules import read_rules
from shokubai.config.runs import read_run
from shokubai.config.shape import LABEL_FORM, label
from shokubai.config.slos import Names, read_slos
from shokubai.config.teams import read_team
from shokubai.config.warehouses import check_datasets, read_warehouse
from shokubai.core.errors import ConfigurationError, Problem

_FOLDERS = ("teams", "slos", "warehouses", "runs", "replies")
LAYOUT = ("organization.yaml", "rules.yaml", *_FOLDERS)
_LAYOUT_SHOWN = "organization.yaml, teams/, slos/, warehouses/, runs/, replies/, rules.yaml"

_T = TypeVar("_T")
_Identity = tuple[tuple[str, str, int, int, int], ...]


_loaded: dict[Path, tuple[_Identity, Parameters]] = {}


def load(directory: Path) -> Parameters:
    """The parameters in ``directory``; read again only when a file there has changed since.

    Raises ConfigurationError with every problem when one of them is an error; warnings alone do not stop it.
    """
    identity = _identity(directory)
    known, parameters = _loaded.get(directory, (None, None))
    if parameters is not None and known == identity:
        return parameters
    parameters, problems = check(directory)
    if parameters is None:
        raise ConfigurationError(problems)
    _loaded[directory] = identity, parameters
    return parameters


def _identity(directory: Path) -> _Identity:
    """Which files there are, and what tells that one has changed."""
    found = []
    seen: set[tuple[int, int]] = set()  # folders; links may lead in a circle
    for folder, folders, names in os.walk(directory, followlinks=True):
        here = os.stat(folder)  # noqa: PTH116
        if (here.st_dev, here.st_ino) in seen:
            folders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            with suppress(OSError):  # gone meanwhile
                status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - thousands of files
                found.append((folder, name, status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(sorted(found))


def check(directory: Path) -> tuple[Parameters | None, list[Problem]]:
    """The parameters in ``directory``, or None when a problem is an error; and all problems, errors first."""
    problems = Problems()
    parameters = _read(directory, problems)
    found = list(ConfigurationError(problems.found).problems)
    return (None if problems.error_count else parameters), found


def _read(directory: Path, problems: Problems) -> Parameters | None:
    if not _has_layout(directory, problems):
        return None
    organization = _read_one(directory / "organization.yaml", read_organization, problems)
    rules = Rules(MappingProxyType({}))
    if (directory / "rules.yaml").exists():
        rules = _read_one(directory / "rules.yaml", read_rules, problems) or rules

    team_names = frozenset(file.stem for file in _files(directory / "teams"))
    warehouse_names = frozenset(file.stem for file in _files(directory / "warehouses"))
    warehouses = _read_folder(directory / "warehouses", read_warehouse, problems)
    check_datasets(warehouses, problems)
    runs = _read_folder(directory / "runs", partial(read_run, teams=team_names, warehouses=warehouse_names), problems)
    before = problems.error_count
    language = organization.language if organization else "en"
    agenda = organization.agenda if organization else Agenda()
    teams = _read_folder(
        directory / "teams",
        partial(read_team, language=language, agenda=agenda, warehouses=warehouse_names),
        problems,
    )
    owners = _owners(teams) if teams and problems.error_count == before else None

    documents: list[Node] = []
    for file in _files(directory / "slos", recursive=True):
        roots = read_documents(file, problems)
        if not roots:
            _warn_if_empty(file, problems)
        documents += roots
    slos = read_slos(documents, problems, names=Names(team_names, owners))

    replies = _read_folder(
        directory / "replies",
        partial(read_replies, team_names=team_names, teams=teams),
        problems,
        may_be_empty=True,
    )
    _report_stray_files(directory, problems)
    if organization is None or problems.error_count:
        return None
    parameters = Parameters(directory, organization, teams, MappingProxyType(slos), warehouses, runs, rules, replies)
    _check_use(parameters, problems)
    return parameters


def _has_layout(directory: Path, problems: Problems) -> bool:
    if not directory.is_dir():
        problems.error(
            Node(directory, 1), "there is no such folder; name the parameters folder with --parameters DIR"
        )
        return False
    if not any((directory / name).exists() for name in LAYOUT):
        problems.error(
            Node(directory, 1),
            "holds no parameters; start from those of the demo organisation, for which `shokubai demo` makes data",
            allowed=_LAYOUT_SHOWN,
        )
        return False
    return True


def _read_one(
    file: Path, read: Callable[[Node, Problems], _T | None], problems: Problems, *, may_be_empty: bool = False
) -> _T | None:
    """The object in a file that holds exactly one document; None of one that may be empty, and is."""
    if not file.exists():
        problems.error(
            Node(file, 1),
            "is missing; it gives the organisation's name, time_zone, language and calendar "
            "(start from that of the demo organisation, for which `shokubai demo` makes data)",
        )
        return None
    before = problems.error_count
    documents = read_documents(file, problems)
    if problems.error_count > before:
        # What is left of a file with broken YAML or doubled keys would give misleading further messages.
        return None
    if not documents:
        if not may_be_empty:
            problems.error(Node(file, 1), "is empty")
        return None
    if len(documents) > 1:
        problems.error(documents[1], "holds more than one YAML document (---); write one for each file")
        return None
    return read(documents[0], problems)


def _read_folder(
    folder: Path, read: Callable[..., _T | None], problems: Problems, *, may_be_empty: bool = False
) -> Mapping[str, _T]:
    """The objects in a folder's files, by file name; ``read`` is given the name too."""
    objects = {}
    for file in _files(folder):
        if label(Node(file, 1, "", file.stem, file.stem), Problems()) is None:
            problems.error(Node(file, 1), "has a name that cannot be used", found=repr(file.stem), allowed=LABEL_FORM)
        found = _read_one(file, partial(read, name=file.stem), problems, may_be_empty=may_be_empty)
        if found is not None:
            objects[file.stem] = found
    return MappingProxyType(objects)


def _files(folder: Path, *, recursive: bool = False) -> list[Path]:
    pattern = "**/*.yaml" if recursive else "*.yaml"
    return sorted(file for file in folder.glob(pattern) if not file.name.startswith("."))


def _warn_if_empty(file: Path, problems: Problems) -> None:
    if not any(problem.file == file for problem in problems.found):
        problems.warning(Node(file, 1), "is empty")


def _report_stray_files(directory: Path, problems: Problems) -> None:
    """Warn of files that look like parameters and are not read."""
    for entry in sorted(directory.iterdir()):
        if entry.name not in LAYOUT and not _is_note(entry):
            problems.warning(
                Node(entry, 1), "is not read", allowed=_LAYOUT_SHOWN, nearest=nearest(entry.name, LAYOUT)
            )
    for name in _FOLDERS:
        read = set(_files(directory / name, recursive=name == "slos"))
        for entry in sorted((directory / name).rglob("*")):
            if entry in read or _is_note(entry) or entry.is_dir():
                continue
            if entry.suffix == ".yaml":
                problems.warning(Node(entry, 1), f"is not read; move it into {name}/ itself")
            else:
                problems.warning(
                    Node(entry, 1), "is not read; parameter files end in .yaml", nearest=f"{entry.stem}.yaml"
                )


def _is_note(entry: Path) -> bool:
    return entry.name.startswith(".") or entry.suffix in (".md", ".txt")


def _owners(teams: Mapping[str, Team]) -> dict[str, frozenset[str]]:
    owners: dict[str, frozenset[str]] = {}
    for team in teams.values():
        for service in team.services:
            owners[service] = owners.get(service, frozenset()) | {team.name}
    return owners


def _check_use(parameters: Parameters, problems: Problems) -> None:
    """Warn of what is allowed and yet leaves reports empty."""
    directory = parameters.directory
    for folder, consequence in (("teams", "no team report is made"), ("runs", "`shokubai run` has nothing to do")):
        if not _files(directory / folder):
            problems.warning(Node(directory / folder, 1), f"no file in it, so {consequence}")
    for team in parameters.teams.values():
        if not parameters.slos_of(team):
            services = ", ".join(team.services)
            problems.warning(
                Node(team.source.file, team.source.line, "owns"),
                f"the team has no SLO; add one for {services} in {directory / 'slos'}",
            )
