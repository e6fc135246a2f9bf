"""The rights table, row by row: what each row gives inside its reach, what it refuses outside, and nothing besides."""

from __future__ import annotations

from typing import get_args

import pytest

from server.scope import PUBLIC, READS, RIGHTS, SYSTEM, Action, Held, Part, Post, Reach, Right, Scope, allows, rights

HERE = Part(school="s1", district="d1", studio="u1", people=frozenset({"p"}))
ELSEWHERE = Part(school="s2", district="d2", studio="u2", people=frozenset({"q"}))
POSTS: tuple[Post, ...] = get_args(Post)
ACTIONS: tuple[Action, ...] = get_args(Action)
LOOKERS: frozenset[Post] = frozenset({"inspector", "evaluator", "area_head", "certifier", "pupil"})


def holder(post: Post, reach: Reach, *, readonly: bool = False) -> Scope:
    """Somebody who holds just this post, of the place the reach speaks of, and works at the first school."""
    place = {
        "city": Held(post, city=True),
        "district": Held(post, district="d1"),
        "school": Held(post, school="s1"),
        "given": Held(post, school="s1"),
        "studio": Held(post, studio="u1"),
    }.get(reach, Held(post))
    return Scope(person="p", school="s1", posts=frozenset({post}), held=frozenset({place}), readonly=readonly)


def name(right: Right) -> str:
    return f"{right.post}-{right.action}-{right.reach}"


@pytest.mark.parametrize("right", list(rights()), ids=name)
def test_a_row_reaches_its_own_part_and_no_other(right: Right) -> None:
    scope = holder(right.post, right.reach)
    assert allows(scope, right.action)
    assert allows(scope, right.action, HERE)
    everywhere = right.reach in ("city", "all")
    assert allows(scope, right.action, ELSEWHERE) == everywhere
    refused = not right.action.endswith(READS) and right.reach != "lesson"
    assert allows(holder(right.post, right.reach, readonly=True), right.action, HERE) != refused


@pytest.mark.parametrize("post", POSTS)
def test_what_is_no_row_is_nobodys(post: Post) -> None:
    everything = frozenset(
        {Held(post, city=True), Held(post, district="d1"), Held(post, school="s1"), Held(post, studio="u1")}
    )
    scope = Scope(person="p", school="s1", posts=frozenset({post}), city=True, held=everything)
    given = {action for action in ACTIONS if allows(scope, action, HERE)}
    assert given == {action for action in ACTIONS if post in RIGHTS[action]}


def test_every_action_has_a_row_and_every_row_an_action() -> None:
    assert set(RIGHTS) == set(ACTIONS)
    assert all(RIGHTS[action] for action in ACTIONS)
    assert len(list(rights())) > 100


@pytest.mark.parametrize("post", sorted(LOOKERS))
def test_who_looks_changes_nothing(post: Post) -> None:
    assert [right for right in rights() if right.post == post and not right.action.endswith(READS)] == []


@pytest.mark.parametrize("action", ACTIONS)
def test_strangers_may_nothing_and_our_jobs_everything(action: Action) -> None:
    assert not allows(PUBLIC, action)
    assert not allows(PUBLIC, action, HERE)
    assert allows(SYSTEM, action, ELSEWHERE)


def test_two_posts_do_not_lend_each_other_their_reach() -> None:
    """Dean of one school, administrator of another: no administrator of the first."""
    both = frozenset({Held("dean", school="s1"), Held("school_admin", school="s2")})
    scope = Scope(
        person="p",
        school="s1",
        posts=frozenset({"dean", "school_admin"}),
        schools=frozenset({"s1", "s2"}),
        held=both,
    )
    assert allows(scope, "class.write", HERE)
    assert allows(scope, "person.write", ELSEWHERE)
    assert not allows(scope, "person.write", HERE)


def test_an_inspector_who_teaches_leads_their_own_lessons_and_changes_nothing_else() -> None:
    both = frozenset({Held("inspector", city=True), Held("teacher")})
    scope = Scope(person="p", school="s1", posts=frozenset({"inspector", "teacher"}), readonly=True, held=both)
    assert allows(scope, "lesson.lead", HERE)
    assert not allows(scope, "lesson.lead", ELSEWHERE)
    assert not any(allows(scope, action, HERE) for action in ("gap.write", "lesson.create", "lesson.cancel"))


def test_a_receiving_school_reads_the_lesson_but_does_not_cancel_it() -> None:
    lesson = Part(school="s9", district="d9", others=frozenset({"s1"}))
    admin = holder("school_admin", "school")
    assert allows(admin, "lesson.read", lesson)
    assert not allows(admin, "lesson.cancel", lesson)


def test_a_district_answers_for_its_schools_wherever_they_stand() -> None:
    """市直属: in the district, but the city's."""
    assert not allows(holder("district_admin", "district"), "school.write", Part(school="s1", district=None))
