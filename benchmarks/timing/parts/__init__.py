"""What is timed, a file for each part: a function `rows` that returns them. Their calls are those of version 0.1.0
where it had them, so that the suite can be run on that version as well."""
