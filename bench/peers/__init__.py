"""The engines that ours is measured beside: one file each, the same shape in each.

`programs/` is what runs in their own environments, which are built under `.local/peers/` when they are first asked for.
"""
