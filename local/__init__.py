"""One machine: what stands in for AWS and the clouds when skysaga is tried, developed and tested.

Most of what it imports and holds stays for as long as it runs. Python's collector of garbage would look through that
again and again while it grows, for a sixth of what a start takes: here it looks after every 50,000 new objects instead
of every 700. Where the functions' code is imported too, `lambdas` puts the first look off further.
"""

import gc

gc.set_threshold(50_000)
