"""Compiled loops that see arrays only. One signature each; the slow obvious twin of each stands in the tests."""
