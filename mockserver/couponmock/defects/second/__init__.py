"""Defects as somebody writes them who has seen many back ends break: a module or package for each vendor.

Its author knew neither the suite nor the first adversary's defects. A module is as long as its table of defects, which
are independent of each other and read one at a time.
"""
