"""What is put for each part: documents with Azure's own field names, filled in from the intent.

Reference: https://learn.microsoft.com/rest/api/compute/ (virtual machines, disks) and .../rest/api/virtualnetwork/.
"""

from __future__ import annotations

from typing import Any

from lambdas.azure.parts import ADDRESS, INTERFACE, MACHINE, OS_DISK, Part, group_id
from lambdas.core.errors import TerminalError
from lambdas.core.model import Intent
from lambdas.core.specs import AzureDisk, AzureInstance

Body = dict[str, Any]


def body_of(part: Part, intent: Intent, subscription_id: str) -> Body:
    """The document for one part of an intent."""
    match intent.definition:
        case AzureInstance() as definition if part is ADDRESS:
            return _address(intent, definition)
        case AzureInstance() as definition if part is INTERFACE:
            return _interface(intent, definition, subscription_id)
        case AzureInstance() as definition if part is MACHINE:
            return _machine(intent, definition, subscription_id)
        case AzureDisk() as definition:
            return _disk(intent, definition)
        case _:
            raise TerminalError("WrongProvider", f"{intent.resource_id} has no {part.name} in Azure")


def _disk(intent: Intent, definition: AzureDisk) -> Body:
    return {
        "location": definition.region,
        "tags": intent.marks,
        "sku": {"name": definition.spec.type},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": definition.spec.size_gb},
    }


def _address(intent: Intent, definition: AzureInstance) -> Body:
    return {
        "location": definition.region,
        "tags": intent.marks,
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
    }


def _interface(intent: Intent, definition: AzureInstance, subscription_id: str) -> Body:
    spec = definition.spec
    networks = f"{group_id(intent, subscription_id)}/providers/Microsoft.Network/virtualNetworks"
    configuration: Body = {
        "primary": True,
        "privateIPAllocationMethod": "Dynamic",
        "subnet": {"id": f"{networks}/{spec.network}/subnets/{spec.subnet}"},
    }
    if spec.public_address:
        address_id = ADDRESS.resource_id(intent, subscription_id)
        configuration["publicIPAddress"] = {"id": address_id, "properties": {"deleteOption": "Delete"}}
    return {
        "location": definition.region,
        "tags": intent.marks,
        "properties": {"ipConfigurations": [{"name": "primary", "properties": configuration}]},
    }


def _machine(intent: Intent, definition: AzureInstance, subscription_id: str) -> Body:
    spec = definition.spec
    publisher, offer, sku, version = spec.image.split(":")
    interface_id = INTERFACE.resource_id(intent, subscription_id)
    return {
        "location": definition.region,
        "tags": intent.marks,
        "properties": {
            "hardwareProfile": {"vmSize": spec.size},
            "storageProfile": {
                "imageReference": {"publisher": publisher, "offer": offer, "sku": sku, "version": version},
                "osDisk": _os_disk(intent, definition),
                "dataDisks": [_data_disk(intent, lun) for lun in range(len(intent.disks))],
            },
            "osProfile": {
                "computerName": intent.name,
                "adminUsername": spec.admin_username,
                "linuxConfiguration": {
                    "disablePasswordAuthentication": True,
                    "ssh": {
                        "publicKeys": [
                            {
                                "path": f"/home/{spec.admin_username}/.ssh/authorized_keys",
                                "keyData": spec.ssh_public_key,
                            }
                        ]
                    },
                },
            },
            "networkProfile": {
                "networkInterfaces": [{"id": interface_id, "properties": {"primary": True, "deleteOption": "Delete"}}]
            },
        },
    }


def _os_disk(intent: Intent, definition: AzureInstance) -> Body:
    disk: Body = {
        "name": OS_DISK.resource_name(intent),
        "createOption": "FromImage",
        "deleteOption": "Delete",
    }
    if definition.spec.disk_gb is not None:
        disk["diskSizeGB"] = definition.spec.disk_gb
    return disk


def _data_disk(intent: Intent, lun: int) -> Body:
    disk = intent.disks[lun]
    return {
        "lun": lun,
        "name": disk.name,
        "createOption": "Attach",
        "deleteOption": "Detach",
        "managedDisk": {"id": disk.cloud_id},
    }
