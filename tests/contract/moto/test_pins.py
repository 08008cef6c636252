"""What the local account knows of moto's inside: each of these fails when moto changes that.

moto is pinned exactly; raise the pin only with these, and with the tests of `tests/unit/local_aws`, green.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import pytest
from moto.awslambda.models import EventSourceMapping, LambdaBackend, LambdaFunction
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.responses import BaseResponse
from moto.dynamodb.models.table import Table
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.elastic_block_store import Volume, VolumeAttachment
from moto.ec2.models.instances import Instance, InstanceState
from moto.ec2.responses import EC2Response
from moto.ec2.utils import filter_dict_attribute_mapping
from moto.iam.models import IAMBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.s3.models import FakeBucket
from moto.sqs.models import Queue

ACCOUNT, REGION = "123456789012", "eu-west-1"


@pytest.fixture
def backend() -> Any:
    BackendDict.reset()
    return ec2_backends[ACCOUNT][REGION]


def launch(backend: Any) -> Any:
    reservation = backend.run_instances("ami-1", 1, None, [], instance_type="t3.micro", is_instance_type_default=False)
    return reservation.instances[0]


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_it_is_the_version_these_were_written_for() -> None:
    assert version("moto") == "5.2.5"


def test_a_response_is_dispatched_with_parsed_parameters() -> None:
    assert parameters(BaseResponse._dispatch)[:2] == ["self", "request"]
    assert parameters(BaseResponse.call_action) == ["self"]
    assert BaseResponse("ec2").automated_parameter_parsing is False
    assert EC2Response().automated_parameter_parsing is True


def test_a_wsgi_application_is_made_per_service() -> None:
    assert parameters(DomainDispatcherApplication.__init__) == ["self", "create_app"]


@pytest.mark.parametrize(
    "operation",
    [
        *("run_instances", "terminate_instances", "start_instances", "stop_instances", "describe_instances"),
        *("describe_instance_status", "describe_images", "create_volume", "attach_volume", "detach_volume"),
        *("delete_volume", "create_network_interface", "delete_network_interface", "release_address"),
    ],
)
def test_ec2_answers_the_operations_that_are_replaced(operation: str) -> None:
    assert parameters(getattr(EC2Response, operation)) == ["self"]


def test_ec2_answers_two_states_with_fixed_words() -> None:
    transformers = EC2Response.RESPONSE_KEY_PATH_TO_TRANSFORMER
    assert "RunInstances.Reservation.Instances.Instance.State" in transformers
    assert "CreateVolumeResponse.State" in transformers


def test_ec2_filters_instances_by_the_attributes_of_a_table() -> None:
    assert filter_dict_attribute_mapping["instance-id"] == "id"
    assert "client_token" in inspect.getsource(Instance.__init__)


def test_an_instance_has_its_state_and_parts_where_they_are_looked_for(backend: Any) -> None:
    instance = launch(backend)
    assert isinstance(instance._state, InstanceState)
    assert (instance._state.name, instance._state.code) == ("running", 16)
    assert backend.all_instances() == [instance]
    assert [r.instances for r in backend.reservations.values()] == [[instance]]
    (interface,) = instance.nics.values()
    assert interface.instance is instance
    assert {"attachment_id", "attach_time", "device_index", "status", "delete_on_termination"} <= set(vars(interface))
    assert set(instance.block_device_mapping) == {"/dev/sda1"} == {instance.root_device_name}


def test_terminating_frees_volumes_and_deletes_interfaces_that_are_to_go(backend: Any) -> None:
    instance = launch(backend)
    instance.nics[0].delete_on_termination = True
    instance.terminate()
    assert (instance.state, backend.volumes, backend.enis) == ("terminated", {}, {})


def test_an_address_knows_what_it_is_associated_with(backend: Any) -> None:
    instance = launch(backend)
    address = backend.allocate_address("vpc")
    backend.associate_address(instance=instance, allocation_id=address.allocation_id)
    assert backend.addresses == [address]
    assert (address.instance, address.eni) == (instance, instance.nics[0])
    backend.disassociate_address(address=address.public_ip)
    assert (address.instance, address.eni, address.association_id) == (None, None, None)


def test_a_volume_is_built_by_moto_and_may_change_its_class(backend: Any) -> None:
    volume = backend.create_volume(size=1, zone_name=f"{REGION}a")
    assert type(volume) is Volume
    assert isinstance(inspect.getattr_static(Volume, "status"), property)
    assert (volume.status, volume.availability_zone) == ("available", f"{REGION}a")
    assert backend.volumes == {volume.id: volume}
    attachment = backend.attach_volume(volume.id, launch(backend).id, "/dev/sdf")
    assert type(attachment) is VolumeAttachment
    assert (volume.attachment, attachment.status) == (attachment, "attached")


def test_a_subnet_tells_its_zone_and_types_are_offered_by_region(backend: Any) -> None:
    subnet = next(iter(backend.get_default_subnets().values()))
    assert backend.get_subnet(subnet.id).availability_zone.startswith(REGION)
    offered = backend.describe_instance_type_offerings(None, {"instance-type": ["t3.micro"]})
    assert len(offered) == 1
    assert backend.describe_instance_type_offerings(None, {"instance-type": ["t99.gigantic"]}) == []
    assert isinstance(backend, EC2Backend)


def test_moto_still_lacks_what_the_lambda_corrections_add() -> None:
    source = inspect.getsource(LambdaFunction)
    assert "LoggingConfig" not in source
    assert "DeadLetterConfig" not in source
    assert parameters(LambdaFunction.__init__) == ["self", "account_id", "spec", "region", "version"]
    assert parameters(LambdaFunction.get_configuration) == ["self", "on_create"]
    assert parameters(LambdaFunction.update_configuration) == ["self", "config_updates"]
    assert parameters(LambdaFunction.update_function_code) == ["self", "updated_spec"]


def test_the_lambda_backend_builds_functions_and_mappings_by_their_module_names() -> None:
    assert "LambdaFunction(" in inspect.getsource(LambdaBackend.create_function)
    creating = inspect.getsource(LambdaBackend.create_event_source_mapping)
    assert "EventSourceMapping(spec)" in creating
    assert "queue.lambda_event_source_mappings[" in creating
    assert "self.function_arn: str = spec" in inspect.getsource(EventSourceMapping.__init__)
    assert "esm.function_arn = func.function_arn" in inspect.getsource(LambdaBackend.update_event_source_mapping)


def test_queues_and_tables_would_call_functions_from_what_is_registered_with_them() -> None:
    for source in (Queue, Table):
        assert "self.lambda_event_source_mappings" in inspect.getsource(source.__init__)


def test_bucket_policies_are_asked_in_one_place() -> None:
    assert len(parameters(FakeBucket.get_permission)) == 3


def test_aws_policies_are_read_when_an_iam_backend_is_made_so_that_it_is_told() -> None:
    assert default_user_config["iam"] == {"load_aws_managed_policies": False}
    assert "self._init_aws_policies()" in inspect.getsource(IAMBackend.__init__)
    assert parameters(IAMBackend.attach_role_policy)[-2:] == ["policy_arn", "role_name"]
    assert IAMBackend("aws", ACCOUNT).managed_policies == {}
