from local.stepfunctions.pytest_plugin import clock, stepfunctions

__all__ = ["clock", "stepfunctions"]
