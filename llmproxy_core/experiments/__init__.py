"""Experiments: which conversation gets which change, and whether the change is proven better.

`experiment` is what is tried, `roots`, `begun` and `assignment` say who gets what (in the proxy,
without numpy), `tally`, `comparison`, `guards` and `verdict` judge it (in the worker), `life` says
what may happen to it, `caching` what it does to prompt caches. See docs/experiments.md.
"""
