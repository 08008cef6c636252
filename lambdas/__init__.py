"""What runs on AWS Lambda.

What a function imports stays for as long as it runs. Python's collector of garbage would look through it again and
again while it grows, for a tenth of a cold start: here it looks after every 250,000 new objects instead of every 700,
which is more than any function has imported when its first call is answered.
"""

import gc

gc.set_threshold(250_000)
