"""What we ask a vCenter to make: the specs of clones and of their hardware."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from pyVmomi import vim

from lambdas.core.errors import TerminalError
from lambdas.core.marks import annotation, marks_of
from lambdas.core.model import Intent
from lambdas.core.specs import VsphereInstance

MACHINE: Final = "machine"

_KB_IN_GB: Final = 1024 * 1024


class Network(NamedTuple):
    """A network that a machine can be on; of a distributed port group also its key, and its switch's UUID."""

    ref: Any
    name: str
    portgroup: str = ""
    switch: str = ""


def clone(intent: Intent, pool: Any, datastore: Any, host: Any | None) -> Any:
    """A machine as its template is, switched off, with our marks; without a host DRS chooses one.

    Its instance UUID is our token, by which it is found wherever and under whatever name somebody puts it.
    """
    return vim.vm.CloneSpec(
        location=vim.vm.RelocateSpec(pool=pool, datastore=datastore, host=host),
        config=vim.vm.ConfigSpec(annotation=annotation(intent.marks), instanceUuid=intent.token(MACHINE)),
        powerOn=False,
        template=False,
    )


def hardware(intent: Intent, definition: VsphereInstance, config: Any, network: Network | None) -> Any | None:
    """What is to change of a machine so that it is as its intent says; None where it is so already.

    `config` is what it is now. Raises TerminalError for a disk that would have to shrink.
    """
    placement = definition.placement
    devices = [it for it in (_disk(config, placement.disk_gb), _card(config, network)) if it is not None]
    changes: dict[str, Any] = {}
    if config.hardware.numCPU != placement.cpu:
        changes["numCPUs"] = placement.cpu
        if placement.cpu % (config.hardware.numCoresPerSocket or 1):
            changes["numCoresPerSocket"] = 1
    if config.hardware.memoryMB != placement.memory_gb * 1024:
        changes["memoryMB"] = placement.memory_gb * 1024
    if devices:
        changes["deviceChange"] = devices
    if not intent.marks.items() <= marks_of(config.annotation).items():
        changes["annotation"] = annotation(intent.marks)
    return vim.vm.ConfigSpec(**changes) if changes else None


def _disk(config: Any, size_gb: int) -> Any | None:
    disk: Any = next((it for it in config.hardware.device if isinstance(it, vim.vm.device.VirtualDisk)), None)
    if disk is None:
        raise TerminalError("NoDisk", f"the template that {config.name} is cloned from has no disk")
    wanted = size_gb * _KB_IN_GB
    if disk.capacityInKB > wanted:
        least = -(-disk.capacityInKB // _KB_IN_GB)
        raise TerminalError(
            "DiskTooSmall", f"the image's own disk has {least} GiB; ask for at least that, not {size_gb}"
        )
    if disk.capacityInKB == wanted:
        return None
    disk.capacityInKB, disk.capacityInBytes = wanted, wanted * 1024
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk)


def _card(config: Any, network: Network | None) -> Any | None:
    if network is None:
        return None
    cards = (it for it in config.hardware.device if isinstance(it, vim.vm.device.VirtualEthernetCard))
    card = next(cards, None)
    if card is not None and _is_on(card.backing, network):
        return None
    operation = "edit" if card is not None else "add"
    card = card or vim.vm.device.VirtualVmxnet3(key=-1)
    card.backing = _backing(network)
    card.connectable = vim.vm.device.VirtualDevice.ConnectInfo(
        startConnected=True, allowGuestControl=True, connected=False
    )
    return vim.vm.device.VirtualDeviceSpec(operation=operation, device=card)


def _is_on(backing: Any, network: Network) -> bool:
    if network.portgroup:
        return getattr(getattr(backing, "port", None), "portgroupKey", None) == network.portgroup
    return getattr(backing, "deviceName", None) == network.name


def _backing(network: Network) -> Any:
    ethernet = vim.vm.device.VirtualEthernetCard
    if network.portgroup:
        port = vim.dvs.PortConnection(portgroupKey=network.portgroup, switchUuid=network.switch)
        return ethernet.DistributedVirtualPortBackingInfo(port=port)
    return ethernet.NetworkBackingInfo(deviceName=network.name, network=network.ref)
