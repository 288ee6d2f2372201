"""Defects by a fourth adversary, who knew the other registries and not the suite: a module or package for each vendor.

All of them are hard to see. A module is as long as its table of defects, which are independent of each other.
"""
