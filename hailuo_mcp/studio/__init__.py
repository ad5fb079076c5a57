"""The use cases, independent of the caller and of the provider."""
