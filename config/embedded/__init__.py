"""Servers that come with the installation, for a start without anything installed by hand."""
