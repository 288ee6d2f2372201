"""Defects by somebody who knew neither the suite nor what it catches: a module or package for each vendor.

All of them were held out until the suite had been measured by them once; of more than half nobody knows more than how
many it catches. A module is as long as its table of defects, which are independent of each other.
"""
