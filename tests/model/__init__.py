"""The formal model of intent, act, fence, undo and late effects, and what checks it."""
