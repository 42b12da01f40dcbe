"""Dates as everywhere else on the pages (``audit.words.instant``)."""

DATE_FORMAT = "d M Y"
DATETIME_FORMAT = "d M Y H:i:s T"
