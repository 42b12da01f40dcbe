"""The auditor's desk: the record of a request on one page, and the search that finds it."""
