"""What an auditor reads about a subject: its story, its seals, and whether they hold."""
