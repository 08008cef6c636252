"""Synthesizes the CloudFormation templates: run by the CDK's command line, or alone as `python app.py`."""

from infra.application import build_application

if __name__ == "__main__":
    build_application().synth()
