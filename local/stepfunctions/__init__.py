"""A Step Functions service in this process: AWS's API and language, in real time or in virtual time.

    engine = Engine(clock=VirtualClock(), seed=0, lambda_invoke=invoke, on_status_change=announce)
    machine_arn = engine.create_state_machine("saga", definition)
    execution_arn = engine.start_execution(machine_arn, {"id": 1}, name="one")
    engine.run()                                 # or step(), run_until(moment), advance(seconds)
    engine.execution(execution_arn).status       # also .output_text .error .cause
    engine.history(execution_arn)                # as GetExecutionHistory answers
    engine.handle("AWSStepFunctions.StartExecution", body)    # the JSON 1.0 protocol: (HTTP status, body)

`invoke(function, payload)` answers a LambdaResult or raises LambdaError; `announce(detail)` gets the detail of the
EventBridge event "Step Functions Execution Status Change". `harness` and `pytest_plugin` are for tests of one's own
state machines.

The parts: `asl` compiles the language; `runtime` applies one input after the other to executions; `integrations` makes
the calls of tasks; `api` is the service's operations; `engine` puts them together; `journal` lets them survive.
"""

from local.stepfunctions.engine import Engine
from local.stepfunctions.errors import ApiError
from local.stepfunctions.integrations.calls import Endpoints
from local.stepfunctions.integrations.lambda_function import FunctionNotFoundError, LambdaError, LambdaResult
from local.stepfunctions.runtime.ledger import Retention

__all__ = ["ApiError", "Endpoints", "Engine", "FunctionNotFoundError", "LambdaError", "LambdaResult", "Retention"]
