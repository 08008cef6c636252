"""Lambda on one machine: AWS's own runtime client in warm worker processes that can be killed.

What runs is what is deployed: configuration, code and layers come from a `FunctionSource`, never from the checkout.
`runtime.LambdaRuntime` is the way in; `wsgi.InvokeApi` is its HTTP form.

What it cannot show: memory is recorded and not limited, `/tmp` and the processors are the machine's, roles are not
checked, code runs on this Python and this architecture whatever the deployment says, a layer stays in a directory of
its own instead of being merged into `/opt`, and workers of one module have its import in common (`templates`).
"""
