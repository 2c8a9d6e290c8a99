"""Stand-ins for packages that need hardware; tests put this folder on the path."""
