"""Lambda on one machine: AWS's own runtime client in warm worker processes that can be killed.

What runs is what is deployed: configuration, code and layers come from a `FunctionSource`, never from the checkout.
`runtime.LambdaRuntime` is the way in; `wsgi.InvokeApi` is its HTTP form.
"""
