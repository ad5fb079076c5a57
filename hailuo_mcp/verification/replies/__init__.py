"""The documented replies of each format, as strict models: nothing more and nothing less."""
