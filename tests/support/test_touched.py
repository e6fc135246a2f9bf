"""What the inner loop takes along."""

from __future__ import annotations

import pytest

from tests.support.touched import changed_files, folders


@pytest.mark.parametrize(
    ("changed", "folder"),
    [
        ("server/lessons/changes.py", "tests/server/lessons"),
        ("server/scope.py", "tests/server"),
        ("frontend/templates/lessons/show.html", "tests/server/lessons"),
        ("tests/server/lessons/test_changes.py", "tests/server/lessons"),
        ("media/wire/stun.py", "tests/media/wire"),
        ("README.md", "tests"),
    ],
)
def test_a_changed_file_takes_the_folder_that_mirrors_it(changed: str, folder: str) -> None:
    assert folders([changed]) == {folder}


def test_git_says_what_changed() -> None:
    changed = changed_files()
    assert changed is None or all(not name.startswith("/") for name in changed)
