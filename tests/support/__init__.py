"""What the tests need around them: real servers, started for one run."""
