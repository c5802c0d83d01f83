"""One subject per file; `doctor.run.CHECKS` is the list of all."""
