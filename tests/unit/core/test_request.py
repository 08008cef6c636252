"""What a request may say, and how each mistake is answered."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.errors import RequestError
from lambdas.core.request import (
    MAX_MACHINES,
    MAX_RESOURCES,
    MAX_WAVES,
    MOST_FOUND,
    SagaRequest,
    dependencies,
    parse_request,
)
from tests.fakes.documents import (
    aws_disk,
    aws_instance,
    azure_instance,
    gcp_instance,
    request_document,
    vsphere_instance,
)


def mistakes(document: object) -> dict[str, str]:
    with pytest.raises(RequestError) as refused:
        parse_request(document)
    fields = [error.field for error in refused.value.errors]
    assert len(set(fields)) == len(fields), f"a field is named twice: {refused.value}"
    return dict(refused.value.errors)


def without(document: dict[str, Any], field: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != field}


def with_spec(resource: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {**resource, "spec": {**resource["spec"], **spec}}


def test_the_example_of_the_interfaces_is_accepted() -> None:
    request = parse_request(request_document())
    assert [it.id for it in request.resources] == ["web-aws", "web-azure", "web-gcp"]
    assert [it.location for it in request.resources] == ["eu-west-1", "westeurope", "europe-west1-b"]


def test_a_request_survives_being_written_and_read_again() -> None:
    request = parse_request(request_document(aws_instance(disks=("data-aws",)), aws_disk(), azure_instance()))
    assert SagaRequest.model_validate_json(request.model_dump_json()) == request


@pytest.mark.parametrize("document", [None, [], "name: x", 7, True])
def test_a_document_that_is_no_object_is_refused_as_a_whole(document: object) -> None:
    assert mistakes(document) == {"(document)": "must be an object"}


def test_what_is_missing_is_named() -> None:
    assert mistakes({}) == {"name": "required", "resources": "required"}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (request_document(nmae="x"), "nmae"),
        (request_document(**{"a/b": 1}), "a/b"),
        (request_document(aws_instance(zone="eu-west-1a")), "resources[0].zone"),
        (request_document(with_spec(aws_instance(), flavour="big")), "resources[0].spec.flavour"),
        (request_document(with_spec(gcp_instance(), **{"a/b": 1})), "resources[0].spec.a/b"),
    ],
)
def test_an_unknown_field_is_named_wherever_it_stands(document: dict[str, Any], field: str) -> None:
    assert mistakes(document) == {field: "unknown field; remove it or correct its spelling"}


@pytest.mark.parametrize(
    ("document", "field", "reason"),
    [
        (request_document(name=7), "name", "must be a string"),
        (request_document(resources={"a": 1}), "resources", "must be a list"),
        (request_document(resources=["a"]), "resources[0]", "must be an object"),
        (request_document(labels=["a"]), "labels", "must be an object"),
        (request_document(labels={"team": 7}), "labels.team", "must be a string"),
        (request_document(aws_instance(region=7)), "resources[0].region", "must be a string"),
        (request_document(aws_instance(spec="big")), "resources[0].spec", "must be an object"),
        (request_document(aws_instance(depends_on="x")), "resources[0].depends_on", "must be a list"),
        (request_document(with_spec(aws_instance(), disk_gb="8")), "resources[0].spec.disk_gb", "a whole number"),
        (request_document(with_spec(aws_instance(), disk_gb=True)), "resources[0].spec.disk_gb", "a whole number"),
        (request_document(with_spec(aws_instance(), public_address="yes")), "resources[0].spec.public_address", "true"),
        (request_document(with_spec(aws_disk(), type="gp9")), "resources[0].spec.type", "'gp3'"),
    ],
)
def test_a_wrong_type_is_named_with_the_right_one(document: dict[str, Any], field: str, reason: str) -> None:
    found = mistakes(document)
    assert list(found) == [field]
    assert reason in found[field]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (request_document(name="Shop"), "name"),
        (request_document(name="a" * 41), "name"),
        (request_document(name="shop\n"), "name"),
        (request_document(resources=[]), "resources"),
        (request_document(*[aws_disk(f"d{number}") for number in range(MAX_RESOURCES + 1)]), "resources"),
        (request_document(labels={f"k{number}": "v" for number in range(17)}), "labels"),
        (request_document(labels={"Team": "x"}), "labels.Team"),
        (request_document(labels={"team": "X"}), "labels.team"),
        (request_document(labels={"skysaga-saga": "x"}), "labels.skysaga-saga"),
        (request_document(labels={"a/b": "x"}), "labels.a/b"),
        (request_document(aws_disk("Data")), "resources[0].id"),
        (request_document(aws_disk("a" * 31)), "resources[0].id"),
        (request_document(aws_disk("-a")), "resources[0].id"),
        (request_document(with_spec(aws_disk(), size_gb=0)), "resources[0].spec.size_gb"),
        (request_document(with_spec(aws_disk(), size_gb=16_385)), "resources[0].spec.size_gb"),
        (request_document(with_spec(aws_instance(), image="ubuntu")), "resources[0].spec.image"),
        (request_document(with_spec(aws_instance(), size="")), "resources[0].spec.size"),
        (request_document(with_spec(azure_instance(), image="ubuntu")), "resources[0].spec.image"),
        (request_document(with_spec(azure_instance(), ssh_public_key="AAAA")), "resources[0].spec.ssh_public_key"),
    ],
)
def test_what_is_out_of_bounds_is_named(document: dict[str, Any], field: str) -> None:
    assert list(mistakes(document)) == [field]


def test_the_largest_request_is_accepted() -> None:
    document = request_document(*[aws_disk(f"d{number}") for number in range(MAX_RESOURCES)])
    assert len(parse_request(document).resources) == MAX_RESOURCES


def test_an_id_used_twice_is_named_where_it_stands_again() -> None:
    document = request_document(aws_disk("a"), aws_disk("b"), aws_disk("a"))
    assert mistakes(document) == {"resources[2].id": "'a' is used twice; ids are unique"}


def test_a_dependency_on_nothing_is_named() -> None:
    document = request_document(aws_disk("a", depends_on=["b", "a2"]), aws_disk("b"))
    assert mistakes(document) == {"resources[0].depends_on[1]": "no resource 'a2' in this request"}


def test_a_cycle_is_named_along_its_dependencies() -> None:
    document = request_document(
        aws_disk("a", depends_on=["c"]), aws_disk("b", depends_on=["a"]), aws_disk("c", depends_on=["b"])
    )
    ((field, reason),) = mistakes(document).items()
    assert field in {f"resources[{index}].depends_on" for index in range(3)}
    assert reason.removeprefix("a cycle: ").split(" -> ")[:3] in (["a", "c", "b"], ["c", "b", "a"], ["b", "a", "c"])


def test_a_disk_that_depends_on_the_instance_it_is_attached_to_is_a_cycle() -> None:
    document = request_document(aws_instance(disks=("data-aws",)), aws_disk(depends_on=["web-aws"]))
    ((_, reason),) = mistakes(document).items()
    assert reason.startswith("a cycle: ")


@pytest.mark.parametrize("provider", ["AWS", "ibm", "", None, 7, ["aws"], {}])
def test_an_unknown_provider_is_named_with_those_that_exist(provider: object) -> None:
    found = mistakes(request_document(aws_disk(provider=provider)))
    assert found == {"resources[0].provider": f"must be one of aws, azure, gcp, vsphere, scvmm, not {provider!r}"}


def test_an_unknown_kind_is_named_with_those_that_exist() -> None:
    found = mistakes(request_document(aws_disk(kind="bucket")))
    assert found == {"resources[0].kind": "must be one of instance, disk, not 'bucket'"}


def test_a_resource_without_provider_and_kind_is_told_that_they_are_required() -> None:
    found = mistakes(request_document(without(without(aws_disk(), "provider"), "kind")))
    assert found == {
        "resources[0].provider": "required: one of aws, azure, gcp, vsphere, scvmm",
        "resources[0].kind": "required: one of instance, disk",
    }


def test_an_unknown_provider_hides_no_other_mistake_of_the_resource() -> None:
    found = mistakes(request_document(aws_disk("Data", provider="ibm", kind="bucket", depends_on=[7])))
    assert list(found) == [
        "resources[0].provider",
        "resources[0].kind",
        "resources[0].id",
        "resources[0].depends_on[0]",
    ]


@pytest.mark.parametrize(
    ("resource", "field", "suggestion"),
    [
        (aws_disk(region="eu-west1"), "region", "unknown AWS region 'eu-west1'; did you mean eu-west-1"),
        (azure_instance(region="west-europe"), "region", "unknown Azure region 'west-europe'; did you mean westeurope"),
        (gcp_instance(zone="europe-west1"), "zone", "unknown Google Cloud zone 'europe-west1'; did you mean europe-"),
    ],
)
def test_an_unknown_place_is_answered_with_the_nearest_ones(
    resource: dict[str, Any], field: str, suggestion: str
) -> None:
    found = mistakes(request_document(resource))
    assert list(found) == [f"resources[0].{field}"]
    assert found[f"resources[0].{field}"].startswith(suggestion)


def test_a_place_that_is_like_no_other_gets_no_suggestion() -> None:
    found = mistakes(request_document(aws_disk(region="#")))
    assert found == {"resources[0].region": "unknown AWS region '#'"}


@pytest.mark.parametrize(
    ("disk", "reason"),
    [
        (
            aws_disk("d", region="eu-west-2", spec={"zone": "eu-west-2a", "size_gb": 8}),
            "'d' is in eu-west-2, not in eu-west-1",
        ),
        (aws_instance("d"), "'d' is not a disk"),
        (
            {**gcp_instance("d"), "kind": "disk", "spec": {"size_gb": 8}},
            "'d' is on gcp, not on aws",
        ),
    ],
)
def test_what_cannot_be_attached_is_named(disk: dict[str, Any], reason: str) -> None:
    found = mistakes(request_document(aws_instance(disks=("d",)), disk))
    assert found == {"resources[0].spec.disks[0]": reason}


def test_a_disks_zone_is_in_its_region() -> None:
    assert mistakes(request_document(aws_disk("d", region="eu-west-2"))) == {
        "resources[0].spec.zone": "'eu-west-1a' is not in eu-west-2"
    }


def test_the_disks_of_one_instance_are_in_one_zone() -> None:
    other = aws_disk("e", spec={"zone": "eu-west-1b", "size_gb": 8})
    assert mistakes(request_document(aws_instance("a", disks=("d", "e")), aws_disk("d"), other)) == {
        "resources[0].spec.disks": "are in different zones: eu-west-1a, eu-west-1b"
    }


def test_a_disk_is_attached_to_one_instance_only() -> None:
    instances = aws_instance("a", disks=("d",)), aws_instance("b", disks=("d",))
    assert mistakes(request_document(*instances, aws_disk("d"))) == {
        "resources[1].spec.disks[0]": "'d' is already attached to 'a'"
    }


def test_a_disk_is_attached_once_only() -> None:
    assert mistakes(request_document(aws_instance("a", disks=("d", "d")), aws_disk("d"))) == {
        "resources[0].spec.disks[1]": "'d' is already attached to 'a'"
    }


def test_mistakes_of_every_sort_are_named_at_once() -> None:
    document = request_document(
        aws_instance("a", disks=("d",), depends_on=["nowhere"]),
        aws_disk("d", region="eu-west-2"),
        gcp_instance("a", zone="mars-1"),
        {"id": "e", "provider": "ibm", "kind": "disk"},
        name="Shop",
        colour="blue",
        labels={"Team": "x"},
    )
    document["resources"].append("not an object")
    assert set(mistakes(document)) == {
        "name",
        "colour",
        "labels.Team",
        "resources[0].depends_on[0]",
        "resources[0].spec.disks[0]",
        "resources[1].spec.zone",
        "resources[2].id",
        "resources[2].zone",
        "resources[3].provider",
        "resources[4]",
    }


def test_ids_that_are_no_strings_are_named_and_nothing_else_breaks() -> None:
    document = request_document({**aws_disk(), "id": 5, "depends_on": ["5"]}, {**aws_disk(), "id": None})
    assert set(mistakes(document)) == {"resources[0].id", "resources[0].depends_on[0]", "resources[1].id"}


def test_a_reason_does_not_repeat_what_was_sent_as_a_key() -> None:
    document = request_document(with_spec(azure_instance(), ssh_public_key="-----BEGIN PRIVATE KEY-----"))
    assert "PRIVATE" not in str(mistakes(document))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from(["id", "provider", "kind", "region", "zone", "depends_on", "spec"])
SOME_VALUES = JSON | st.sampled_from(["aws", "gcp", "disk", "instance", "eu-west-1", ["a"], {"disks": ["a"]}])
RESOURCES = st.dictionaries(FIELDS, SOME_VALUES)


@given(JSON | st.fixed_dictionaries({"resources": st.lists(RESOURCES | JSON)}))
def test_whatever_else_is_sent_is_answered_with_its_mistakes(document: object) -> None:
    with pytest.raises(RequestError) as refused:
        parse_request(document)
    assert refused.value.errors
    assert all(error.field and error.reason for error in refused.value.errors)


def test_a_private_provider_offers_no_disks_of_their_own() -> None:
    found = mistakes(request_document({**vsphere_instance("data"), "kind": "disk"}))
    assert found == {"resources[0].kind": "vsphere has no disks of their own; give its instances placement.disk_gb"}


def test_a_private_machine_is_placed_by_what_it_needs_and_has_no_region() -> None:
    document = {**vsphere_instance(memory_gb=0), "region": "berlin"}
    assert mistakes(request_document(document)) == {
        "resources[0].placement.memory_gb": "must be at least 1",
        "resources[0].region": "unknown field; remove it or correct its spelling",
    }


def test_a_neighbour_is_created_first() -> None:
    request = parse_request(request_document(vsphere_instance("web", near="db"), vsphere_instance("db")))
    assert dependencies(request.resources[0]) == ("db",)


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ([vsphere_instance("web", near="nobody")], "no resource 'nobody' in this request"),
        ([vsphere_instance("web", near="web-aws"), aws_instance()], "'web-aws' is on no private cluster"),
        (
            [vsphere_instance("web", near="db"), {**vsphere_instance("db"), "provider": "scvmm"}],
            "'db' is on scvmm, not on vsphere",
        ),
        (
            [vsphere_instance("web", near="db"), {**vsphere_instance("db"), "target": "test"}],
            "'db' is in the target 'test', not in 'default'",
        ),
        (
            [vsphere_instance("web", near="db", anti_affinity="g"), vsphere_instance("db", anti_affinity="g")],
            "'db' is in the same anti-affinity group, so they cannot share a cluster",
        ),
    ],
)
def test_a_neighbour_must_be_one_whose_cluster_can_be_shared(resources: list[dict[str, Any]], reason: str) -> None:
    assert mistakes(request_document(*resources)) == {"resources[0].placement.near": reason}


def test_neighbours_in_a_circle_are_a_cycle() -> None:
    found = mistakes(request_document(vsphere_instance("a", near="b"), vsphere_instance("b", near="a")))
    assert found == {"resources[0].depends_on": "a cycle: a -> b -> a"}


def chained(length: int) -> list[dict[str, Any]]:
    return [aws_disk(f"d{number}", depends_on=[f"d{number - 1}"] if number else []) for number in range(length)]


def test_as_many_waves_as_there_may_be_are_accepted() -> None:
    assert len(parse_request(request_document(*chained(MAX_WAVES))).resources) == MAX_WAVES


def test_a_chain_that_is_too_long_is_named_where_it_is_too_long_and_without_its_middle() -> None:
    assert mistakes(request_document(*chained(MAX_WAVES + 9))) == {
        "resources[50].depends_on": "a chain of 51 resources, each of which waits for the next: d50 -> d49 -> d48 -> "
        "d47 -> d46 -> d45 -> (39 more) -> d5 -> d4 -> d3 -> d2 -> d1 -> d0; at most 50 may come one after the other: "
        "let some of them depend on less"
    }


def test_a_cycle_through_everything_is_named_in_a_line() -> None:
    document = request_document(aws_disk("d0", depends_on=[f"d{MAX_RESOURCES - 1}"]), *chained(MAX_RESOURCES)[1:])
    ((_, reason),) = mistakes(document).items()
    assert reason.startswith("a cycle: d")
    assert f" -> ({MAX_RESOURCES - 11} more) -> " in reason
    assert len(reason) < 200


def machines(number: int) -> list[dict[str, Any]]:
    """On two private clouds by turns."""
    found = [vsphere_instance(f"m{place}") for place in range(number)]
    return [it if place % 2 else {**it, "provider": "scvmm"} for place, it in enumerate(found)]


def test_as_many_machines_on_private_clusters_as_there_may_be_are_accepted_among_others() -> None:
    document = request_document(*map(aws_disk, map("d{}".format, range(60))), *machines(MAX_MACHINES))
    assert len(parse_request(document).resources) == 60 + MAX_MACHINES


def test_the_first_machine_on_a_private_cluster_that_is_one_too_many_is_named() -> None:
    assert mistakes(request_document(aws_disk(), *machines(MAX_MACHINES + 3))) == {
        "resources[51].provider": "machine 51 of 53 on private clusters; a request has at most 50 of them: "
        "make several requests"
    }


def test_no_more_mistakes_are_looked_for_than_anybody_reads() -> None:
    document = request_document(*[aws_disk(f"d{number}", colour="blue") for number in range(MAX_RESOURCES)])
    assert len(mistakes(document)) == MOST_FOUND


def seconds_for(count: int) -> float:
    """Of processor time, for reading a request of so many resources, half of them attached to the other half."""
    disks = [aws_disk(f"d{number}") for number in range(count // 2)]
    instances = [aws_instance(f"w{number}", disks=(f"d{number}",), depends_on=["d0"]) for number in range(count // 2)]
    document = request_document(*disks, *instances)
    began = time.process_time()
    parse_request(document)
    return time.process_time() - began


def test_ten_times_as_many_resources_take_about_ten_times_as_long() -> None:
    few = min(seconds_for(MAX_RESOURCES // 10) for _ in range(3))
    assert seconds_for(MAX_RESOURCES) < 40 * few, "with every pair of resources looked at, it would be a hundred times"
