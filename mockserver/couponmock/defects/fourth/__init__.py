"""Defects by a fourth adversary, who knew pages, worlds and mock, and nothing of the suite: a module for each vendor.

A module is as long as its table of defects, which are independent of each other.
"""
