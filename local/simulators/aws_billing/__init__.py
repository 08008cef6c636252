"""AWS's billing, simulated over one bill: Cost Explorer, and (in `exports`) Data Exports of the FOCUS table."""

from local.simulators.aws_billing.simulator import CostExplorerSettings, CostExplorerSimulator

__all__ = ["CostExplorerSettings", "CostExplorerSimulator"]
