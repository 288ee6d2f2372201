"""Defects as somebody writes them who wants a faulty server to pass: a module or package for each vendor.

A module is as long as its table of defects, which are independent of each other and read one at a time.
"""
