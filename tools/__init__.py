"""What people run to build Epsilon; nothing here runs in the toy."""
