"""The demonstration: everything on one machine, made up payments, people with printed passwords."""
