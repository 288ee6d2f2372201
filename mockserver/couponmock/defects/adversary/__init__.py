"""Defects as somebody writes them who wants a faulty server to pass: one module or package for each vendor."""
