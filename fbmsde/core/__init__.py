"""The base of all other folders: types, checks, users' functions compiled, random lanes, threads, and files."""
