"""The service: HTTP in front of the chain. It does not know the developer's tools."""
