"""Runs the processes of the demonstration: starts them in order, restarts them, stops them."""
