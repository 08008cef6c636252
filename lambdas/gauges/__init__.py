"""Measuring once a minute what alarms go by, whether anything happens or not."""
