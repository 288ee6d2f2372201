"""One module for each vendor: the effects of its operations, and nothing else.

A module is found by its name, the vendor's slug. Its behaviours never word an answer: they name examples of the
vendor's document.
"""
