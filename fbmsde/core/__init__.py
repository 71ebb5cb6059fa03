"""What everything else stands on: types, checks, compiled functions, random lanes, work on threads, files."""
