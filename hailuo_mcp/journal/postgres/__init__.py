"""The journal in a PostgreSQL database, for the processes of many computers."""
