"""The bundles of a stack as Lambda takes them: one code asset, and one layer per set of dependencies."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.packaging.bundles import Bundles


class FunctionCode(Construct):
    """What the functions of one stack run; a layer is in the stack that uses it, since its ARN changes when it does."""

    def __init__(self, scope: Construct, id: str, bundles: Bundles) -> None:
        super().__init__(scope, id)
        target = bundles.target
        self.asset: Final = lambda_.Code.from_asset(str(bundles.code))
        self.runtime: Final = lambda_.Runtime(
            f"python{target.python}", lambda_.RuntimeFamily.PYTHON, supports_inline_code=False
        )
        self.architecture: Final = (
            lambda_.Architecture.ARM_64 if target.architecture == "arm64" else lambda_.Architecture.X86_64
        )
        self._bundles = bundles
        self._layers: dict[Path, lambda_.LayerVersion] = {}

    def dependencies(self, folder: str = ".") -> lambda_.ILayerVersion:
        """Return the layer of `lambdas/<folder>/requirements.txt`; folders with equal requirements share one."""
        bundle = self._bundles.dependencies[folder]
        if bundle not in self._layers:
            name = "Base" if bundle == self._bundles.dependencies["."] else folder.capitalize()
            self._layers[bundle] = lambda_.LayerVersion(
                self,
                f"{name}Dependencies",
                code=lambda_.Code.from_asset(str(bundle)),
                compatible_runtimes=[self.runtime],
                compatible_architectures=[self.architecture],
                description=f"What {PurePosixPath('lambdas', folder, 'requirements.txt')} pins",
            )
        return self._layers[bundle]
