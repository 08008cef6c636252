"""A local AWS Step Functions."""

from local.stepfunctions.engine import Engine
from local.stepfunctions.errors import ApiError
from local.stepfunctions.integrations.lambda_function import FunctionNotFoundError, LambdaError, LambdaResult

__all__ = ["ApiError", "Engine", "FunctionNotFoundError", "LambdaError", "LambdaResult"]
