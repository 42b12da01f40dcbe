"""How the admin writes dates, by language: Django looks for `<language>.formats` in here."""
