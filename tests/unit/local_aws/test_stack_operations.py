"""What becomes of a stack: in order, replaced where it must be, and back where something fails."""

from __future__ import annotations

from typing import Any

import pytest

from local.aws.cloudformation.errors import AlreadyExists, ValidationError
from local.aws.cloudformation.stacks import Stack
from tests.unit.local_aws.made_up import World, thing


@pytest.fixture
def world() -> World:
    return World()


def statuses(stack: Stack) -> list[str]:
    return [event.status for event in stack.events if event.logical_id == stack.name]


def test_what_is_referred_to_is_made_first(world: World) -> None:
    world.create({"A": thing(Of={"Ref": "B"}), "B": thing(Of={"Fn::Sub": "${C.Arn}"}), "C": thing()})
    assert world.things.calls == ["create C", "create B", "create A"]


def test_what_is_named_in_depends_on_is_made_first(world: World) -> None:
    world.create({"A": thing(needs=["B"]), "B": thing(needs=["C"]), "C": thing()})
    assert world.things.calls == ["create C", "create B", "create A"]


def test_a_branch_not_taken_needs_nothing(world: World) -> None:
    conditions = {"Off": {"Fn::Equals": ["a", "b"]}}
    world.create(
        {
            "A": thing(Of={"Fn::If": ["Off", {"Ref": "B"}, {"Ref": "AWS::NoValue"}]}),
            "B": {**thing(), "Condition": "Off"},
        },
        Conditions=conditions,
    )
    assert world.things.calls == ["create A"]


def test_a_cycle_is_refused_before_anything_is_made(world: World) -> None:
    with pytest.raises(ValidationError, match="Circular dependency"):
        world.create({"A": thing(Of={"Ref": "B"}), "B": thing(Of={"Ref": "A"})})
    assert (world.things.calls, dict(world.cloudformation.stacks)) == ([], {})


def test_a_type_nobody_supports_is_refused_by_name_before_anything_is_made(world: World) -> None:
    with pytest.raises(ValidationError, match="AWS::Neptune::DBCluster is not supported"):
        world.create({"A": thing(), "B": {"Type": "AWS::Neptune::DBCluster"}})
    assert world.things.calls == []


def test_deletion_goes_backwards(world: World) -> None:
    world.create({"A": thing(Of={"Ref": "B"}), "B": thing(needs=["C"]), "C": thing()})
    world.things.calls.clear()
    world.cloudformation.delete_stack("s")
    assert world.things.calls == ["delete A", "delete B", "delete C"]
    assert world.things.alive == {}


def test_only_what_changed_is_changed(world: World) -> None:
    world.create({"A": thing(Size=1), "B": thing(Size=1)})
    world.things.calls.clear()
    stack = world.update({"A": thing(Size=2), "B": thing(Size=1)})
    assert world.things.calls == ["update A"]
    assert stack.status == "UPDATE_COMPLETE"


def test_what_refers_to_a_changed_value_changes_after_it(world: World) -> None:
    world.create({"A": thing(Size={"Fn::GetAtt": ["B", "Size"]}), "B": thing(Size=1)})
    world.things.calls.clear()
    world.update({"A": thing(Size={"Fn::GetAtt": ["B", "Size"]}), "B": thing(Size=2)})
    assert world.things.calls == ["update B", "update A"]


def test_a_replacement_is_made_used_and_only_then_the_old_one_deleted(world: World) -> None:
    world.create({"User": thing(Of={"Ref": "Used"}), "Used": thing(Name="old")})
    world.things.calls.clear()
    stack = world.update({"User": thing(Of={"Ref": "Used"}), "Used": thing(Name="new")})
    assert world.things.calls == ["create Used", "update User", "delete Used"]
    assert stack.resources["Used"].resource.physical_id == "new"
    assert set(world.things.alive) == {"new", stack.resources["User"].resource.physical_id}


def test_what_was_removed_goes_last_and_backwards(world: World) -> None:
    world.create({"A": thing(), "B": thing(needs=["C"]), "C": thing()})
    world.things.calls.clear()
    world.update({"A": thing(), "D": thing()})
    assert world.things.calls == ["create D", "delete B", "delete C"]


def test_what_is_to_be_retained_stays(world: World) -> None:
    retained = thing(attributes={"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}, Name="one")
    world.create({"A": retained})
    world.update({"A": thing(attributes={"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}, Name="two")})
    world.cloudformation.delete_stack("s")
    assert set(world.things.alive) == {"one", "two"}


def test_a_failed_creation_leaves_nothing(world: World) -> None:
    stack = world.create({"A": thing(), "B": thing(needs=["A"], Fail="create"), "C": thing(needs=["B"])})
    assert world.things.alive == {}
    assert statuses(stack) == ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    assert "B (Test::Thing): create was to fail" in str(stack.reason)


def test_a_failed_creation_without_roll_back_keeps_what_was_made(world: World) -> None:
    stack = world.create({"A": thing(), "B": thing(needs=["A"], Fail="create")}, roll_back=False)
    assert (stack.status, list(stack.resources)) == ("CREATE_FAILED", ["A"])


def test_what_failed_without_roll_back_can_be_completed(world: World) -> None:
    world.create({"A": thing(), "B": thing(needs=["A"], Fail="create")}, roll_back=False)
    world.things.calls.clear()
    assert world.update({"A": thing(), "B": thing(needs=["A"])}).status == "UPDATE_COMPLETE"
    assert world.things.calls == ["create B"]


def test_a_roll_back_that_gets_stuck_says_so(world: World) -> None:
    stack = world.create({"A": thing(Fail="delete"), "B": thing(needs=["A"], Fail="create")})
    assert stack.status == "ROLLBACK_FAILED"
    assert len(world.things.alive) == 1


def test_a_failed_update_brings_everything_back(world: World) -> None:
    before = world.create({"A": thing(Size=1), "B": thing(Name="old"), "Gone": thing()})
    untouched, gone = dict(world.things.alive), before.resources["Gone"]
    stack = world.update(
        {"A": thing(Size=2), "B": thing(Name="new"), "C": thing(), "D": thing(needs=["A", "B", "C"], Fail="create")}
    )
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert world.things.alive == untouched
    assert set(stack.resources) == {"A", "B", "Gone"}
    assert stack.resources["Gone"] == gone
    assert stack.resources["B"].resource.physical_id == "old"


def test_a_resource_whose_own_update_failed_is_brought_back_too(world: World) -> None:
    world.create({"A": thing(Size=1)})
    stack = world.update({"A": thing(Size=2, Fail="update")})
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert [each["Size"] for each in world.things.alive.values()] == [1]


def test_after_a_roll_back_the_stack_can_be_updated_again(world: World) -> None:
    world.create({"A": thing(Size=1)})
    world.update({"A": thing(Size=2, Fail="update")})
    assert world.update({"A": thing(Size=3)}).status == "UPDATE_COMPLETE"


def test_after_a_failed_creation_the_stack_can_only_be_deleted(world: World) -> None:
    world.create({"A": thing(Fail="create")})
    with pytest.raises(ValidationError, match="ROLLBACK_COMPLETE state and can not be updated"):
        world.update({"A": thing()})
    world.cloudformation.delete_stack("s")
    assert world.create({"A": thing()}).status == "CREATE_COMPLETE"


def test_what_cannot_be_deleted_stays_in_the_stack(world: World) -> None:
    stack = world.create({"A": thing(Fail="delete"), "B": thing(needs=["A"])})
    world.cloudformation.delete_stack("s")
    assert (stack.status, list(stack.resources)) == ("DELETE_FAILED", ["A"])


def test_an_update_that_changes_nothing_is_refused(world: World) -> None:
    world.create({"A": thing(Size=1)})
    with pytest.raises(ValidationError, match="No updates are to be performed"):
        world.update({"A": thing(Size=1)})


def test_a_second_stack_of_one_name_is_refused(world: World) -> None:
    world.create({"A": thing()})
    with pytest.raises(AlreadyExists):
        world.create({"A": thing()})


def test_termination_protection_holds(world: World) -> None:
    world.create({"A": thing()}).termination_protection = True
    with pytest.raises(ValidationError, match="TerminationProtection is enabled"):
        world.cloudformation.delete_stack("s")


def exporting(value: Any) -> dict[str, Any]:
    return {"O": {"Value": value, "Export": {"Name": "shared"}}}


def test_an_export_is_imported_and_then_held(world: World) -> None:
    world.create({"A": thing(Name="a")}, outputs=exporting({"Ref": "A"}))
    user = world.create({"B": thing(Of={"Fn::ImportValue": "shared"})}, name="user")
    assert user.resources["B"].properties["Of"] == "a"
    with pytest.raises(ValidationError, match="cannot be deleted as it is in use by user"):
        world.cloudformation.delete_stack("s")
    assert world.update({"A": thing(Name="b")}, outputs=exporting({"Ref": "A"})).status == "UPDATE_ROLLBACK_COMPLETE"
    world.cloudformation.delete_stack("user")
    world.cloudformation.delete_stack("s")
    assert world.things.alive == {}


def test_an_export_of_another_stack_is_not_taken_over(world: World) -> None:
    world.create({"A": thing()}, outputs=exporting("1"))
    assert world.create({"A": thing()}, name="other", outputs=exporting("2")).status == "ROLLBACK_COMPLETE"


def test_an_import_of_nothing_makes_nothing(world: World) -> None:
    stack = world.create({"A": thing(Of={"Fn::ImportValue": "nowhere"})})
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "No export named nowhere found" in str(stack.reason)


def test_a_change_set_says_what_would_be_done_and_then_does_it(world: World) -> None:
    world.create({"Same": thing(), "Changed": thing(Size=1), "Replaced": thing(Name="x"), "Removed": thing()})
    request = world.request({"Same": thing(), "Changed": thing(Size=2), "Replaced": thing(Name="y"), "Added": thing()})
    change_set = world.cloudformation.create_change_set("c", "UPDATE", None, request)
    planned = {(c.action, c.logical_id, c.replacement) for c in change_set.changes}
    assert planned == {
        ("Modify", "Changed", "False"),
        ("Modify", "Replaced", "True"),
        ("Add", "Added", None),
        ("Remove", "Removed", None),
    }
    world.cloudformation.execute_change_set("c", "s", roll_back=True)
    assert set(world.cloudformation.stack("s").resources) == {"Same", "Changed", "Replaced", "Added"}


def test_a_change_set_without_changes_fails_and_cannot_be_executed(world: World) -> None:
    world.create({"A": thing()})
    change_set = world.cloudformation.create_change_set("c", "UPDATE", None, world.request({"A": thing()}))
    assert (change_set.status, change_set.execution_status) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in str(change_set.reason)


def test_one_name_serves_the_change_sets_of_many_stacks(world: World) -> None:
    for name in ("one", "two"):
        world.cloudformation.create_change_set("c", "CREATE", None, world.request({"A": thing(Name=name)}, name))
    world.cloudformation.execute_change_set("c", "two", roll_back=True)
    assert set(world.things.alive) == {"two"}
    assert world.cloudformation.stack("one").status == "REVIEW_IN_PROGRESS"


def test_a_change_set_that_failed_to_create_can_be_rolled_back(world: World) -> None:
    request = world.request({"A": thing(), "B": thing(needs=["A"], Fail="create")})
    world.cloudformation.create_change_set("c", "CREATE", None, request)
    world.cloudformation.execute_change_set("c", "s", roll_back=True)
    assert world.cloudformation.stack("s").status == "ROLLBACK_COMPLETE"
    assert world.things.alive == {}


def test_outputs_follow_each_update(world: World) -> None:
    world.create({"A": thing(Size=1)}, outputs={"O": {"Value": {"Fn::GetAtt": ["A", "Size"]}}})
    stack = world.update({"A": thing(Size=2)}, outputs={"O": {"Value": {"Fn::GetAtt": ["A", "Size"]}}})
    assert [(o.key, o.value) for o in stack.outputs] == [("O", "2")]


def test_generated_names_differ_between_stacks_and_generations(world: World) -> None:
    first = world.create({"A": thing()}, name="one").resources["A"].resource.physical_id
    second = world.create({"A": thing()}, name="two").resources["A"].resource.physical_id
    assert first != second
    assert first.startswith("one-A-")
