"""`python -m local.stepfunctions`: a drop-in for AWS's Step Functions Local, with its environment variables."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from local.clock import VirtualClock, WallClock
from local.stepfunctions.engine import ACCOUNT, REGION, Engine
from local.stepfunctions.integrations.calls import Endpoints
from local.stepfunctions.integrations.lambda_function import invoke_over_http, no_lambda
from local.stepfunctions.journal import JournalInUse
from local.stepfunctions.runtime.ledger import DAY, Retention
from local.stepfunctions.server import StepFunctionsServer

_SERVICE_VARIABLES = {
    "DYNAMODB_ENDPOINT": "dynamodb",
    "SQS_ENDPOINT": "sqs",
    "SNS_ENDPOINT": "sns",
    "S3_ENDPOINT": "s3",
    "EVENTS_ENDPOINT": "events",
    "STEP_FUNCTIONS_ENDPOINT": "stepfunctions",
}


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; environment variables of Step Functions Local are the defaults."""
    parser = argparse.ArgumentParser(prog="python -m local.stepfunctions", description=__doc__)
    environment = os.environ.get
    parser.add_argument("--port", type=int, default=8083)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--lambda-endpoint", default=environment("LAMBDA_ENDPOINT"))
    parser.add_argument("--aws-endpoint", default=environment("AWS_ENDPOINT_URL"), help="all other services")
    parser.add_argument("--account", default=environment("AWS_ACCOUNT_ID", ACCOUNT))
    parser.add_argument("--region", default=environment("AWS_DEFAULT_REGION", environment("AWS_REGION", REGION)))
    parser.add_argument("--virtual", action="store_true", help="waits take no time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="directory of the journal that a restart resumes from")
    parser.add_argument("--sync", action="store_true", help="the journal survives the machine, not only the process")
    kept = Retention()
    parser.add_argument("--keep-executions", type=int, default=kept.executions, help="finished ones, the last so many")
    parser.add_argument("--keep-days", type=float, default=kept.seconds / DAY, help="after their end, as AWS does")
    scale = environment("WAIT_TIME_SCALE", "1")
    parser.add_argument("--wait-time-scale", type=_scale, default=scale, help="0.5 halves the time of Wait states")
    parser.add_argument("--mock-config", type=Path, default=environment("SFN_MOCK_CONFIG"))
    return parser.parse_args(arguments)


def _scale(text: str) -> float:
    scale = float(text)
    if not 0 <= scale < float("inf"):
        raise ValueError(text)
    return scale


def build_engine(options: argparse.Namespace) -> Engine:
    """The engine that the options describe."""
    services = {service: os.environ[name] for name, service in _SERVICE_VARIABLES.items() if os.environ.get(name)}
    return Engine(
        clock=VirtualClock() if options.virtual else WallClock(),
        seed=options.seed,
        lambda_invoke=invoke_over_http(options.lambda_endpoint) if options.lambda_endpoint else no_lambda,
        account=options.account,
        region=options.region,
        endpoints=Endpoints(options.aws_endpoint, services),
        data=options.data,
        mocks=options.mock_config,
        retention=Retention(options.keep_executions, options.keep_days * DAY),
        wait_scale=options.wait_time_scale,
        sync=options.sync,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    options = parse_arguments(arguments)
    try:
        engine = build_engine(options)
    except JournalInUse as error:
        sys.exit(str(error))
    if engine.virtual:
        threading.Thread(target=engine.run_forever, daemon=True).start()
    server = StepFunctionsServer(engine, options.host, options.port)
    print(f"Step Functions on {server.url}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
        engine.close()


if __name__ == "__main__":
    main()
