"""Commands about what was bought: tasks, show, query, download, preview, account and the others."""
