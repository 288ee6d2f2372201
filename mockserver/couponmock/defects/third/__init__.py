"""Defects by somebody who knew neither the suite nor what it catches: a module or package for each vendor.

All of them are held out: they measure the suite, and nobody writes it by them. A module is as long as its table of
defects, which are independent of each other and read one at a time.
"""
