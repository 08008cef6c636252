"""The local AWS account: moto, its EC2 corrected, with a CloudFormation that can be trusted, and deployment into it.

The SDK is corrected here, before anything of moto is imported: its EC2 asks the SDK for regions when it is.
"""

from local.aws.sdk_corrections import correct_sdk

correct_sdk()
