"""Reads what is particular to one xAPI profile or player, a module for each."""
