"""The structs of every document and step, declared as one field specification."""
