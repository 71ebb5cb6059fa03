"""Campaigns: many first-passage problems in blocks of paths, on any executor, kept in a store and resumed."""
