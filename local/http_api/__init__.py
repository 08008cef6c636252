"""The deployed HTTP API on one machine: HTTP in, payload format 2.0 to the function, and its answer back.

Routes, integrations, stages and authorization, by IAM or by JWT, are read from what is deployed, at every request.
Throttling (the rates and bursts of stages and routes) and CORS settings are not applied, access logs are not written
and Lambda authorizers are refused: a route that has one answers 500 and says so in the log.
`front.HttpApis.application(api_id)` is the WSGI application of one API.
"""
