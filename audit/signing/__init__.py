"""Signing keys, decision tokens and published key sets."""
